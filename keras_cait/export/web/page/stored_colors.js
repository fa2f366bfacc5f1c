// Colors of transparent images as they are stored, under the alpha.

const WIDEST = 2048; // pixels, which every graphics processor can hold
const AS_STORED = { colorSpaceConversion: "none", premultiplyAlpha: "none" };

/**
 * Some rows of a bitmap with alpha, RGBA, not multiplied by it.
 *
 * The Keras model's decoder drops alpha and keeps the colors. A 2D canvas stores colors
 * multiplied by alpha, which loses them; a texture does not.
 */
export async function storedColors(bitmap, top, number) {
  const pixels = new Uint8Array(4 * bitmap.width * number);
  for (let left = 0; left < bitmap.width; left += WIDEST) {
    const width = Math.min(WIDEST, bitmap.width - left);
    const part = await createImageBitmap(bitmap, left, top, width, number, AS_STORED);
    const read = throughTexture(part);
    part.close();
    for (let row = 0; row < number; row++) {
      const line = read.subarray(4 * row * width, 4 * (row + 1) * width);
      pixels.set(line, 4 * (row * bitmap.width + left));
    }
  }
  return pixels;
}

let context; // one for all: browsers allow only some

function throughTexture(bitmap) {
  context ??= new OffscreenCanvas(1, 1).getContext("webgl");
  if (!context) {
    throw new Error("Transparent images need WebGL, which this browser does not have.");
  }
  const gl = context;
  const texture = gl.createTexture();
  const frame = gl.createFramebuffer();
  gl.bindTexture(gl.TEXTURE_2D, texture);
  gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, false);
  gl.pixelStorei(gl.UNPACK_COLORSPACE_CONVERSION_WEBGL, gl.NONE);
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, bitmap);
  gl.bindFramebuffer(gl.FRAMEBUFFER, frame);
  gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture, 0);
  const pixels = new Uint8Array(4 * bitmap.width * bitmap.height);
  gl.readPixels(0, 0, bitmap.width, bitmap.height, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
  gl.deleteFramebuffer(frame);
  gl.deleteTexture(texture);
  return pixels;
}
