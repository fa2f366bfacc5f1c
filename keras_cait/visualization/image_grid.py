"""Images in a grid, each with a caption below it."""

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_cait.optional_packages import import_optional

_SMALLEST = 112  # width in pixels that a caption needs
_GAP = 6  # pixels around an image
_LINES = 2  # of a caption
_FONT = 10  # pixels, the height of a line and 5/3 of the width of a letter
_DPI = 100


def draw_image_grid(images: np.ndarray, captions: Sequence[Sequence[str]]) -> Any:
    """Draws images with captions, pixel for pixel, as a matplotlib figure.

    Small images are enlarged by a whole number, so that their captions fit; a caption
    too long for two lines is shortened.

    Args:
        images: `(rows, columns, height, width, 3)` uint8.
        captions: A text for each image, by row and column.

    Returns:
        A figure; save it with its own resolution, `figure.savefig(path)`.

    Example:
        >>> figure = draw_image_grid(
        ...     np.zeros((1, 2, 224, 224, 3), "uint8"), [["evaluation", "epoch 1"]]
        ... )
        >>> [text.get_text() for text in figure.axes[0].texts]
        ['evaluation', 'epoch 1']

    """
    rows, columns, _, width, _ = images.shape
    factor = -(-_SMALLEST // width)
    enlarged = images.repeat(factor, axis=2).repeat(factor, axis=3)
    caption = _LINES * _FONT * 3 // 2
    spaces = ((0, 0), (0, 0), (0, caption + _GAP), (0, _GAP), (0, 0))
    spaced = np.pad(enlarged, spaces, constant_values=255)
    height, width = spaced.shape[2:4]
    grid = spaced.transpose(0, 2, 1, 3, 4).reshape(rows * height, columns * width, 3)
    grid = np.pad(grid, ((_GAP, 0), (_GAP, 0), (0, 0)), constant_values=255)

    figures = import_optional("matplotlib.figure", "recipes")
    inches = (grid.shape[1] / _DPI, grid.shape[0] / _DPI)
    figure = figures.Figure(figsize=inches, dpi=_DPI)
    panel = figure.add_axes((0, 0, 1, 1), frameon=False, xticks=[], yticks=[])
    panel.imshow(grid, interpolation="none", aspect="auto")
    for row, texts in enumerate(captions):
        for column, text in enumerate(texts):
            panel.text(
                _GAP + column * width,
                _GAP + (row + 1) * height - caption - _GAP + _FONT // 3,
                _fitted(text, width),
                fontsize=_FONT * 72 / _DPI,
                verticalalignment="top",
            )
    return figure


def _fitted(text: str, width: int) -> str:
    """The lines of a caption, at most as wide as an image with its gap."""
    letters = (width - _GAP) * 5 // (3 * _FONT)
    return textwrap.fill(
        text, letters, max_lines=_LINES, placeholder=" ...", break_on_hyphens=False
    )
