// Resizing with the pixels of Pillow: antialiased, and rounded between the two axes.
//
// A canvas scales differently in every browser, and without the filter that the model
// was trained with. Each pixel here is a weighted mean of the pixels within reach of a
// kernel, which is widened by the ratio of the sizes if the image becomes smaller.

const UNIT = 2 ** 22; // weights are whole parts of it, as in Pillow
const HALF = UNIT / 2;
const LONGEST_STRIP = 2048; // rows, which every graphics processor can hold

const KERNELS = {
  // Keys, Cubic convolution interpolation for digital image processing, 1981, a = -0.5
  bicubic: {
    radius: 2,
    weight: (x) => {
      if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
      return x < 2 ? ((2.5 - 0.5 * x) * x - 4) * x + 2 : 0;
    },
  },
  bilinear: { radius: 1, weight: (x) => Math.max(1 - x, 0) },
};

/**
 * Weights of an axis of `available` pixels for `number` of `size` pixels, from `first`.
 *
 * Gives the first pixel of each mean and its weights, whole parts of 2^22. A place
 * outside of [0, size) has no weights.
 */
export function axisWeights(available, size, interpolation, first = 0, number = size) {
  const { radius, weight } = KERNELS[interpolation];
  const scale = available / size;
  const stretch = Math.max(scale, 1);
  const reach = radius * stretch;
  return Array.from({ length: number }, (_, index) => {
    const place = first + index;
    if (place < 0 || place >= size) return { start: 0, weights: [] };
    const center = (place + 0.5) * scale;
    const start = Math.max(Math.trunc(center - reach + 0.5), 0);
    const end = Math.min(Math.trunc(center + reach + 0.5), available);
    const weights = Array.from({ length: end - start }, (_, step) =>
      weight(Math.abs(start + step + 0.5 - center) / stretch),
    );
    const total = weights.reduce((sum, value) => sum + value, 0);
    return { start, weights: weights.map((value) => Math.round((value / total) * UNIT)) };
  });
}

/**
 * A window of an image resized to `size`, `height * width * channels` bytes.
 *
 * `image` has `height`, `width`, `channels` and `rows(top, number)`, which promises the
 * bytes of some rows, so that a large image is never copied as a whole. `size`
 * has height and width; `window` has top, left, height and width in the result, whose
 * outside is black. Columns come first, as in Pillow before version 13.
 */
export async function resize(image, size, window, interpolation) {
  const { channels } = image;
  const columns = axisWeights(
    image.width, size.width, interpolation, window.left, window.width,
  );
  const rows = axisWeights(
    image.height, size.height, interpolation, window.top, window.height,
  );
  const used = rows.filter(({ weights }) => weights.length);
  const top = used[0].start;
  const bottom = used.at(-1).start + used.at(-1).weights.length;
  const stride = window.width * channels;
  const narrow = new Uint8ClampedArray((bottom - top) * stride);
  const strip = Math.min(Math.ceil(2 ** 21 / image.width), LONGEST_STRIP);
  for (let row = top; row < bottom; row += strip) {
    const number = Math.min(strip, bottom - row);
    const bytes = await image.rows(row, number);
    for (let y = 0; y < number; y++) {
      const source = { bytes, start: y * image.width * channels, step: channels };
      const target = { bytes: narrow, start: (row - top + y) * stride, step: channels };
      for (let channel = 0; channel < channels; channel++) {
        mix(source, target, columns, channel);
      }
    }
  }
  const result = new Uint8ClampedArray(window.height * stride);
  const shifted = rows.map(({ start, weights }) => ({ start: start - top, weights }));
  for (let column = 0; column < stride; column++) {
    const source = { bytes: narrow, start: 0, step: stride };
    mix(source, { bytes: result, start: 0, step: stride }, shifted, column);
  }
  return result;
}

/** Writes weighted sums of the bytes of one line to another line. */
function mix(source, target, axis, offset) {
  const { bytes, step } = source;
  for (let index = 0; index < axis.length; index++) {
    const { start, weights } = axis[index];
    if (!weights.length) continue; // stays black
    let place = source.start + start * step + offset;
    let sum = HALF;
    for (let k = 0; k < weights.length; k++, place += step) {
      sum += weights[k] * bytes[place];
    }
    // The shift rounds down, the array clamps to [0, 255].
    target.bytes[target.start + index * target.step + offset] = sum >> 22;
  }
}
