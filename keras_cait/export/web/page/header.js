// Type and size of an image file, read from its first bytes before it is decoded.

import { ImageError } from "./image_error.js";

export const MAX_BYTES = 50_000_000;
export const MAX_PIXELS = 50_000_000; // as keras_cait.data.images.size_limits
export const MAX_SIDE = 65_500;
const TYPES = "JPEG, PNG, WebP, GIF or BMP";

/**
 * Height and width in the header of a file, in pixels.
 *
 * Throws `ImageError` if the bytes are no image of a type that the Keras model's own
 * decoder reads, if they end within the header, or if the image is too large.
 */
export function imageSize(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const type = FORMATS.find(({ signature }) => signature(view));
  if (!type) {
    throw new ImageError(`This is no image. The page reads ${TYPES} files.`);
  }
  let size;
  try {
    size = type.size(view);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; // a read beyond the end
  }
  if (!size || !size.height || !size.width) {
    throw new ImageError("The image is damaged: its header cannot be read.");
  }
  checkPixels(size);
  return size;
}

function checkPixels({ height, width }) {
  if (height * width > MAX_PIXELS || Math.max(height, width) > MAX_SIDE) {
    const pixels = Math.round((height * width) / 1e6).toLocaleString("en");
    throw new ImageError(
      `The image is too large: ${width.toLocaleString("en")} × ` +
        `${height.toLocaleString("en")} pixels, ${pixels} megapixels. The page reads ` +
        `images of at most ${MAX_PIXELS / 1e6} megapixels.`,
    );
  }
}

const text = (view, start, expected) =>
  view.byteLength >= start + expected.length &&
  [...expected].every((letter, index) => view.getUint8(start + index) === letter.charCodeAt(0));

const FORMATS = [
  {
    signature: (view) => text(view, 0, "\xff\xd8\xff"),
    size: jpegSize,
  },
  {
    signature: (view) => text(view, 0, "\x89PNG\r\n\x1a\n"),
    size: (view) => ({ width: view.getUint32(16), height: view.getUint32(20) }),
  },
  {
    signature: (view) => text(view, 0, "GIF87a") || text(view, 0, "GIF89a"),
    size: (view) => ({ width: view.getUint16(6, true), height: view.getUint16(8, true) }),
  },
  {
    signature: (view) => text(view, 0, "BM"),
    // A height below 0 means that the top row comes first.
    size: (view) => ({
      width: Math.abs(view.getInt32(18, true)),
      height: Math.abs(view.getInt32(22, true)),
    }),
  },
  {
    signature: (view) => text(view, 0, "RIFF") && text(view, 8, "WEBP"),
    size: webpSize,
  },
];

/** The first frame header (SOF) of a JPEG; the segments before it are skipped. */
function jpegSize(view) {
  let place = 2;
  for (;;) {
    if (view.getUint8(place) !== 0xff) return null;
    const marker = view.getUint8(place + 1);
    if (marker === 0xff) {
      place += 1; // a fill byte
    } else if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      return { height: view.getUint16(place + 5), width: view.getUint16(place + 7) };
    } else {
      place += 2 + view.getUint16(place + 2);
    }
  }
}

/** RFC 9649: the layout depends on the first chunk. */
function webpSize(view) {
  if (text(view, 12, "VP8X")) {
    const integer = (place) => view.getUint16(place, true) + (view.getUint8(place + 2) << 16);
    return { width: 1 + integer(24), height: 1 + integer(27) };
  }
  if (text(view, 12, "VP8L")) {
    const bits = view.getUint32(21, true);
    return { width: 1 + (bits & 0x3fff), height: 1 + ((bits >> 14) & 0x3fff) };
  }
  return {
    width: view.getUint16(26, true) & 0x3fff,
    height: view.getUint16(28, true) & 0x3fff,
  };
}
