// The middle of an image as a model's evaluation takes it: sizes and places only.

/**
 * Size to which an image is resized, and the window that is cut out of its middle.
 *
 * The shorter side becomes `imageSize / cropPct`, rounded down; the window has the
 * height and width of `imageSize`, and may reach beyond a smaller image. Rounded as in
 * timm.
 */
export function centerCrop(height, width, { imageSize, cropPct }) {
  const covered = imageSize.map((side) => Math.floor(side / cropPct));
  const size = coveringSize(height, width, covered);
  return {
    size,
    window: {
      top: margin(size.height, imageSize[0]),
      left: margin(size.width, imageSize[1]),
      height: imageSize[0],
      width: imageSize[1],
    },
  };
}

/** The smallest size of an image, with its aspect, that covers another size. */
export function coveringSize(height, width, [coveredHeight, coveredWidth]) {
  if (coveredHeight === coveredWidth) {
    const shorter = Math.min(height, width);
    return {
      height: Math.floor((coveredHeight * height) / shorter),
      width: Math.floor((coveredHeight * width) / shorter),
    };
  }
  const ratio = Math.min(height / coveredHeight, width / coveredWidth);
  return { height: roundToEven(height / ratio), width: roundToEven(width / ratio) };
}

/** The window in pixels of the image itself, for pictures of the same section. */
export function sourceWindow(height, width, { size, window }) {
  const vertical = height / size.height;
  const horizontal = width / size.width;
  return {
    top: window.top * vertical,
    left: window.left * horizontal,
    height: window.height * vertical,
    width: window.width * horizontal,
  };
}

/** Pixels to cut before the middle of a side, or minus the pixels to add. */
function margin(side, kept) {
  if (side < kept) return -Math.floor((kept - side) / 2);
  return roundToEven((side - kept) / 2);
}

/** Rounds to the nearest integer, and halves to the even one. */
function roundToEven(value) {
  const rounded = Math.round(value);
  return Math.abs(value % 1) === 0.5 && rounded % 2 ? rounded - 1 : rounded;
}
