// Attention maps as colors: dark where the class token does not look, light where it does.

const COLORS = [
  // matplotlib's inferno at 17 even steps
  [0, 0, 4], [11, 7, 36], [33, 12, 74], [61, 9, 101], [87, 16, 110], [113, 25, 110],
  [138, 34, 106], [163, 44, 97], [188, 55, 84], [210, 70, 68], [228, 90, 49],
  [241, 115, 29], [249, 142, 9], [252, 172, 17], [249, 203, 53], [242, 234, 105],
  [252, 255, 164],
];

/** The mean of some maps of the same length. */
export function meanMap(maps) {
  return maps[0].map((_, place) => maps.reduce((sum, map) => sum + map[place], 0) / maps.length);
}

/** A map in [0, 1]: its smallest value becomes 0, its largest 1; of one value, all 0. */
export function stretched(map) {
  const low = map.reduce((a, b) => Math.min(a, b), Infinity);
  const range = map.reduce((a, b) => Math.max(a, b), -Infinity) - low || 1;
  return map.map((value) => (value - low) / range);
}

/**
 * A map of `rows * columns` patches as `height * width` opaque pixels, RGBA.
 *
 * Between the centers of the patches it is bilinear, as keras_cait.visualization.overlay.
 */
export function heatPixels(map, rows, columns, height, width) {
  const values = stretched(map);
  const vertical = neighbors(rows, height);
  const horizontal = neighbors(columns, width);
  const pixels = new Uint8ClampedArray(4 * height * width);
  for (let y = 0, place = 0; y < height; y++) {
    const { low: above, high: below, part: down } = vertical[y];
    for (let x = 0; x < width; x++, place += 4) {
      const { low, high, part } = horizontal[x];
      const upper = between(values[above * columns + low], values[above * columns + high], part);
      const lower = between(values[below * columns + low], values[below * columns + high], part);
      paint(pixels, place, between(upper, lower, down));
    }
  }
  return pixels;
}

/** The two patches around each pixel of an axis, and the part of the second. */
function neighbors(patches, pixels) {
  return Array.from({ length: pixels }, (_, pixel) => {
    const center = ((pixel + 0.5) * patches) / pixels - 0.5;
    const place = Math.min(Math.max(center, 0), patches - 1);
    const low = Math.floor(place);
    return { low, high: Math.min(low + 1, patches - 1), part: place - low };
  });
}

const between = (a, b, part) => a + (b - a) * part;

function paint(pixels, place, value) {
  const step = value * (COLORS.length - 1);
  const low = Math.min(Math.floor(step), COLORS.length - 2);
  for (let channel = 0; channel < 3; channel++) {
    pixels[place + channel] = between(
      COLORS[low][channel], COLORS[low + 1][channel], step - low,
    );
  }
  pixels[place + 3] = 255;
}
