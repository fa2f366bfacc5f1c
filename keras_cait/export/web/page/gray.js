// Gray levels of colors.

/** Luma of ITU-R 601-2 of RGBA, rounded, as Pillow computes it. */
export function luma(pixels) {
  const levels = new Uint8Array(pixels.length / 4);
  for (let index = 0, place = 0; index < levels.length; index++, place += 4) {
    const red = 19595 * pixels[place];
    const green = 38470 * pixels[place + 1];
    const blue = 7471 * pixels[place + 2];
    levels[index] = (red + green + blue + 2 ** 15) >> 16;
  }
  return levels;
}
