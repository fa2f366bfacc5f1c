// Pixels of an image file, as the decoder of the Keras model gives them.

import { luma } from "./gray.js";
import { imageSize, MAX_BYTES } from "./header.js";
import { ImageError } from "./image_error.js";
import { storedColors } from "./stored_colors.js";

const AS_STORED = { colorSpaceConversion: "none", premultiplyAlpha: "none" };

/**
 * Decodes a file, the right way up if its metadata tells its orientation.
 *
 * Throws `ImageError` if it is no image, damaged, or too large.
 */
export async function decode(file) {
  if (file.size > MAX_BYTES) {
    throw new ImageError(
      `The file is too large: ${(file.size / 1e6).toFixed(1)} MB. ` +
        `The page reads files of at most ${MAX_BYTES / 1e6} MB.`,
    );
  }
  imageSize(new Uint8Array(await file.arrayBuffer()));
  try {
    return await createImageBitmap(file, AS_STORED);
  } catch {
    throw new ImageError("The image is damaged: its pixels cannot be decoded.");
  }
}

/** A decoded image as `resize` reads it, with 3 channels, or 1 for gray levels. */
export function readable(bitmap, channels) {
  const { height, width } = bitmap;
  const context = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rows = async (top, number) => {
    context.canvas.width = width;
    context.canvas.height = number;
    context.drawImage(bitmap, 0, -top);
    let pixels = context.getImageData(0, 0, width, number).data;
    if (isTransparent(pixels)) {
      pixels = await storedColors(bitmap, top, number); // a canvas multiplies by alpha
    }
    return channels === 1 ? luma(pixels) : withoutAlpha(pixels);
  };
  return { height, width, channels, rows };
}

function isTransparent(pixels) {
  for (let place = 3; place < pixels.length; place += 4) {
    if (pixels[place] < 255) return true;
  }
  return false;
}

function withoutAlpha(pixels) {
  const colors = new Uint8Array((pixels.length / 4) * 3);
  for (let from = 0, to = 0; from < pixels.length; from += 4, to += 3) {
    colors[to] = pixels[from];
    colors[to + 1] = pixels[from + 1];
    colors[to + 2] = pixels[from + 2];
  }
  return colors;
}
