"""Images in a grid, as one image."""

import numpy as np


def image_grid(images: np.ndarray, *, gap: int = 4) -> np.ndarray:
    """Draws images, `(rows, columns, height, width, channels)` uint8, on white.

    There are `gap` pixels between two images, and around all.

    Example:
        >>> image_grid(np.zeros((2, 3, 10, 20, 3), "uint8"), gap=1).shape
        (23, 64, 3)

    """
    before = ((0, 0), (0, 0), (gap, 0), (gap, 0), (0, 0))
    spaced = np.pad(images, before, constant_values=255)
    rows, columns, height, width, channels = spaced.shape
    grid = spaced.transpose(0, 2, 1, 3, 4).reshape(
        rows * height, columns * width, channels
    )
    return np.pad(grid, ((0, gap), (0, gap), (0, 0)), constant_values=255)
