// The model: its files, its input, and what it says of an image.

import { centerCrop, sourceWindow } from "./crop.js";
import { download } from "./download.js";
import { decode, readable } from "./pixels.js";
import { resize } from "./resize.js";
import * as ort from "./runtime/ort.js";

const PICTURE = 640; // pixels of the picture's longer side

/** The model of this folder, described by `model.json`. */
export class Classifier {
  /** Loads runtime and model; `report(loaded, total)` is called meanwhile, in bytes. */
  static async load(report) {
    const response = await fetch("model.json", { cache: "no-cache" });
    if (!response.ok) throw new Error(`model.json cannot be loaded: ${response.status}`);
    const description = await response.json();
    const files = await download(description.files, report);
    ort.env.wasm.wasmBinary = files.runtime;
    const session = await ort.InferenceSession.create(new Uint8Array(files.model), {
      executionProviders: ["wasm"],
    });
    return new Classifier(description, session);
  }

  constructor(description, session) {
    this.description = description;
    this.session = session;
  }

  /**
   * Probabilities and attention of an image file, and a picture of what the model sees.
   *
   * Throws `ImageError` if the file is no image, damaged, or too large.
   */
  async classify(file) {
    const bitmap = await decode(file);
    const { channels, cropPct, imageSize, interpolation } = this.description;
    const { size, window } = centerCrop(bitmap.height, bitmap.width, { imageSize, cropPct });
    const image = readable(bitmap, channels);
    const pixels = await resize(image, size, window, interpolation);
    const outputs = await this.session.run({ images: this.inputs(pixels) });
    const { data, dims } = outputs.class_attention;
    return {
      probabilities: outputs.probabilities.data,
      attention: { data, maps: dims[1], rows: dims[2], columns: dims[3] },
      picture: await picture(bitmap, sourceWindow(bitmap.height, bitmap.width, { size, window })),
    };
  }

  /** Pixels in [0, 255] as the model's input, normalized if it does not do so itself. */
  inputs(pixels) {
    const { channels, imageSize, scale, offset } = this.description;
    const values = Float32Array.from(
      pixels,
      (value, index) => value * scale[index % channels] + offset[index % channels],
    );
    return new ort.Tensor("float32", values, [1, ...imageSize, channels]);
  }
}

/** The section of an image that the model sees, of a size for the screen. */
async function picture(bitmap, { top, left, height, width }) {
  const ratio = PICTURE / Math.max(height, width);
  const canvas = new OffscreenCanvas(Math.round(width * ratio), Math.round(height * ratio));
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(
    bitmap, left, top, width, height, 0, 0, canvas.width, canvas.height,
  );
  bitmap.close();
  return canvas.transferToImageBitmap();
}
