"""Pictures of what `keras_cait.visualization` computes, as matplotlib figures."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from keras_cait.optional_packages import import_optional
from keras_cait.visualization.overlay import overlay

_MOST_COLUMNS = 8  # of small pictures
_TITLE = 0.3  # height in inches


def draw_token_attention(
    image: np.ndarray, attention: Mapping[str, np.ndarray], *, title: str = ""
) -> Any:
    """Draws the attention of a token to an image: a row a block, a column a head.

    Each row begins with the mean of the heads over the image. `image` is `(height,
    width, 3)` in [0, 255]; `attention` has name to `(heads, rows, columns)`, as one
    token of `token_attention` without its batch axis.
    """
    heads = len(next(iter(attention.values())))
    columns = min(heads, _MOST_COLUMNS)
    lines = -(-heads // columns)
    figure, grid = _panels(len(attention) * lines, columns + 1, _size(image, 1.6))
    for block, (name, maps) in enumerate(attention.items()):
        first = block * lines
        _show(grid[first, 0], overlay(image, maps.mean(0)), f"{name}\nmean of heads")
        for head, scores in enumerate(maps):
            panel = grid[first + head // columns, 1 + head % columns]
            panel.imshow(scores, cmap="inferno", vmin=0)
            panel.set_title(f"head {head}", fontsize=7)
    figure.suptitle(title)
    return figure


def draw_overlays(
    image: np.ndarray, maps: Mapping[str, np.ndarray], *, title: str = ""
) -> Any:
    """Draws an image, and beside it each map over it, under its name.

    `image` is `(height, width, 3)` in [0, 255]; `maps` has name to `(rows, columns)`,
    as `attention_rollout` without its batch axis.
    """
    figure, grid = _panels(1, 1 + len(maps), _size(image, 3.0))
    _show(grid[0, 0], np.asarray(image).astype("uint8"), "image")
    for panel, (name, scores) in zip(grid[0, 1:], maps.items(), strict=True):
        _show(panel, overlay(image, scores), name)
    figure.suptitle(title)
    return figure


def draw_token_cosines(cosines: np.ndarray) -> Any:
    """Draws `token_cosines` by depth: the mean over the images, and their spread."""
    figure = _figure((6, 3.6))
    panel = figure.subplots()
    depth = np.arange(len(cosines))
    mean, spread = cosines.mean(axis=1), cosines.std(axis=1)
    panel.plot(depth, mean, marker="o")
    panel.fill_between(depth, mean - spread, mean + spread, alpha=0.2)
    panel.set(xlabel="blocks passed", ylabel="cosine of class and distillation token")
    panel.grid(alpha=0.3)
    return figure


def draw_gains(gains: Mapping[str, np.ndarray]) -> Any:
    """Draws `layer_scale_gains` by depth: mean of the absolute gains, and quartiles."""
    figure = _figure((9, 3.6))
    panel = figure.subplots()
    for part, label in (("scale1", "attention"), ("scale2", "feed-forward")):
        rows = [np.abs(row) for name, row in gains.items() if name.endswith(part)]
        depth = range(len(rows))
        low, high = np.percentile(np.stack(rows), (25, 75), axis=1)
        panel.plot(depth, [row.mean() for row in rows], marker=".", label=label)
        panel.fill_between(depth, low, high, alpha=0.2)
    panel.set(xlabel="block", ylabel="absolute gain", yscale="log")
    panel.grid(alpha=0.3)
    panel.legend(fontsize=8)
    return figure


def draw_mixing_matrices(matrices: Mapping[str, Mapping[str, np.ndarray]]) -> Any:
    """Draws `mixing_matrices` in the order of the layers, blue below 0, red above."""
    pairs = list(matrices.items())
    columns = min(len(pairs), _MOST_COLUMNS)
    lines = -(-len(pairs) // columns)
    figure, grid = _panels(2 * lines, columns, (1.4, 1.4))
    largest = max(np.abs(list(pair.values())).max() for _, pair in pairs)
    for index, (name, pair) in enumerate(pairs):
        line, column = divmod(index, columns)
        for part, (place, matrix) in enumerate(pair.items()):
            panel = grid[2 * line + part, column]
            panel.imshow(matrix, cmap="RdBu_r", vmin=-largest, vmax=largest)
            block = name.removesuffix("_attention")
            panel.set_title(f"{block}, {place}", fontsize=7)
    return figure


def draw_position_similarity(similarity: np.ndarray) -> Any:
    """Draws `position_similarity`: a small map for each patch, at its place."""
    rows, columns = similarity.shape[:2]
    # Blank lines between the maps.
    spaced = np.pad(
        similarity, ((0, 0), (0, 0), (0, 1), (0, 1)), constant_values=np.nan
    )
    picture = spaced.transpose(0, 2, 1, 3).reshape(
        rows * (rows + 1), columns * (columns + 1)
    )
    figure, grid = _panels(1, 1, (8, 8 * rows / columns))
    grid[0, 0].imshow(picture, cmap="inferno", vmin=-1, vmax=1)
    return figure


def _panels(
    rows: int, columns: int, size: tuple[float, float]
) -> tuple[Any, np.ndarray]:
    """A figure of panels without axes; width and height of one in inches."""
    width, height = size
    figure = _figure((width * columns, (height + _TITLE) * rows + _TITLE))
    grid = figure.subplots(rows, columns, squeeze=False)
    for panel in grid.ravel():
        panel.set_axis_off()
    return figure, grid


def _figure(size: tuple[float, float]) -> Any:
    matplotlib = import_optional("matplotlib.figure", "recipes")
    return matplotlib.Figure(figsize=size, layout="constrained")


def _show(panel: Any, picture: np.ndarray, title: str) -> None:
    panel.imshow(picture)
    panel.set_title(title, fontsize=7)


def _size(image: np.ndarray, width: float) -> tuple[float, float]:
    """Width and height of a panel for an image, in inches."""
    return width, width * np.shape(image)[0] / np.shape(image)[1]
