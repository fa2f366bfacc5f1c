"""Pictures of what `keras_cait.visualization` computes, as matplotlib figures."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from keras_cait.optional_packages import import_optional
from keras_cait.visualization.log_axis import use_log_axis
from keras_cait.visualization.overlay import overlay

_MOST_COLUMNS = 8  # of small pictures
_TITLE = 0.3  # height in inches
_SMALL = 7  # points, of the texts in small pictures


def draw_token_attention(
    image: np.ndarray, attention: Mapping[str, np.ndarray], *, title: str = ""
) -> Any:
    """Draws the attention of a token to an image: a row a block, a column a head.

    Each row begins with the mean of the heads over the image. Black is no attention;
    the brightest patch of a head has the part of its attention that stands above it.

    Args:
        image: `(height, width, 3)`, gray levels in [0, 255].
        attention: Name of a block to `(heads, rows, columns)`, as one token of
            `token_attention` without its batch axis.
        title: Text above the picture.

    Returns:
        A matplotlib figure.

    Example:
        >>> figure = draw_token_attention(
        ...     np.zeros((16, 24, 3)), {"class_block_0": np.full((4, 2, 3), 1 / 8)}
        ... )
        >>> figure.axes[1].get_title()
        'head 0, up to 12 %'

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
            largest = f"{100 * scores.max():.0f} %"
            panel.set_title(f"head {head}, up to {largest}", fontsize=_SMALL)
    figure.suptitle(title)
    return figure


def draw_overlays(
    image: np.ndarray, maps: Mapping[str, np.ndarray], *, title: str = ""
) -> Any:
    """Draws an image, and beside it each map over it, under its name.

    Args:
        image: `(height, width, 3)`, gray levels in [0, 255].
        maps: Name to `(rows, columns)`, as `attention_rollout` without its batch axis.
        title: Text above the picture.

    Returns:
        A matplotlib figure.

    Example:
        >>> figure = draw_overlays(np.zeros((16, 24, 3)), {"class": np.ones((2, 3))})
        >>> [panel.get_title() for panel in figure.axes]
        ['image', 'class']

    """
    figure, grid = _panels(1, 1 + len(maps), _size(image, 3.0))
    _show(grid[0, 0], np.asarray(image).astype("uint8"), "image")
    for panel, (name, scores) in zip(grid[0, 1:], maps.items(), strict=True):
        _show(panel, overlay(image, scores), name)
    figure.suptitle(title)
    return figure


def draw_token_cosines(cosines: np.ndarray) -> Any:
    """Draws the cosine of class and distillation token by depth.

    Args:
        cosines: `(blocks + 1, batch)`, from `token_cosines`; drawn are their mean over
            the images, and a band of one standard deviation.

    Returns:
        A matplotlib figure.

    Example:
        >>> figure = draw_token_cosines(np.array([[0.0, 0.2], [0.8, 0.9]]))
        >>> figure.axes[0].lines[0].get_ydata().round(2).tolist()
        [0.1, 0.85]

    """
    figure = _figure((6, 3.6))
    panel = figure.subplots()
    depth = np.arange(len(cosines))
    mean, spread = cosines.mean(axis=1), cosines.std(axis=1)
    panel.plot(depth, mean, marker="o")
    panel.fill_between(depth, mean - spread, mean + spread, alpha=0.2)
    panel.set(xlabel="blocks passed", ylabel="cosine of class and distillation token")
    panel.xaxis.get_major_locator().set_params(integer=True)
    panel.grid(alpha=0.3)
    return figure


def draw_gains(gains: Mapping[str, np.ndarray]) -> Any:
    """Draws the gains of LayerScale by depth; class attention has a gray background.

    Args:
        gains: Name of a layer to `(dim,)`, from `layer_scale_gains`; drawn are the mean
            of the absolute gains of a layer, and a band between their quartiles.

    Returns:
        A matplotlib figure.

    Example:
        >>> figure = draw_gains({
        ...     "block_0_scale1": np.array([0.1, -0.3]),
        ...     "block_0_scale2": np.array([0.5, 0.7]),
        ... })
        >>> [line.get_ydata()[0].round(2).item() for line in figure.axes[0].lines]
        [0.2, 0.6]

    """
    figure = _figure((9, 3.6))
    panel = figure.subplots()
    for part, label in (("scale1", "attention"), ("scale2", "feed-forward")):
        rows = {name: np.abs(row) for name, row in gains.items() if part in name}
        depth = range(len(rows))
        low, high = np.percentile(np.stack(list(rows.values())), (25, 75), axis=1)
        means = [row.mean() for row in rows.values()]
        panel.plot(depth, means, marker=".", label=label)
        panel.fill_between(depth, low, high, alpha=0.2)
    first = sum(name.startswith("block_") for name in rows)
    if 0 < first < len(rows):
        background = {"color": "gray", "alpha": 0.12, "label": "class-attention blocks"}
        panel.axvspan(first - 0.5, len(rows) - 0.5, **background)
    panel.set(xlabel="block", ylabel="absolute gain")
    panel.xaxis.get_major_locator().set_params(integer=True)
    use_log_axis(panel)
    panel.grid(alpha=0.3)
    panel.legend(fontsize=8)
    return figure


def draw_mixing_matrices(matrices: Mapping[str, Mapping[str, np.ndarray]]) -> Any:
    """Draws the matrices of talking heads: blue below 0, red above.

    Args:
        matrices: From `mixing_matrices`; the pairs stand in the order of the layers,
            the matrix before the softmax above that after it.

    Returns:
        A matplotlib figure.

    Example:
        >>> figure = draw_mixing_matrices(
        ...     {"block_0_attention": {"before": np.eye(2), "after": np.eye(2)}}
        ... )
        >>> [panel.get_title() for panel in figure.axes[:2]]
        ['block_0, before', 'block_0, after']

    """
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
            panel.set_title(f"{block}, {place}", fontsize=_SMALL)
    label = "weight of a head (column)\nin a mixed head (row)"
    _add_scale(figure, grid[0, 0].images[0], grid[:2].ravel(), label)
    return figure


def draw_position_similarity(similarity: np.ndarray) -> Any:
    """Draws the similarity of position embeddings: a map for each patch, at its place.

    Args:
        similarity: `(rows, columns, rows, columns)` in [-1, 1], from
            `position_similarity`.

    Returns:
        A matplotlib figure.

    Example:
        >>> figure = draw_position_similarity(np.ones((2, 3, 2, 3)))
        >>> figure.axes[0].images[0].get_array().shape  # and a line between two maps
        (5, 11)

    """
    rows, columns = similarity.shape[:2]
    spaced = np.pad(
        similarity, ((0, 0), (0, 0), (0, 1), (0, 1)), constant_values=np.nan
    )
    picture = spaced.transpose(0, 2, 1, 3).reshape(
        rows * (rows + 1), columns * (columns + 1)
    )[:-1, :-1]
    figure, grid = _panels(1, 1, (8.5, 7 * rows / columns))
    colormaps = import_optional("matplotlib", "recipes").colormaps
    colors = colormaps["RdBu_r"].with_extremes(bad="dimgray")  # between two maps
    drawn = grid[0, 0].imshow(picture, cmap=colors, vmin=-1, vmax=1)
    _add_scale(figure, drawn, grid.ravel(), "cosine of two position embeddings")
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
    panel.set_title(title, fontsize=_SMALL)


def _add_scale(figure: Any, drawn: Any, panels: np.ndarray, label: str) -> None:
    """Adds the scale of colors beside panels."""
    bar = figure.colorbar(drawn, ax=list(panels), shrink=0.8)
    bar.set_label(label, fontsize=_SMALL)
    bar.ax.tick_params(labelsize=_SMALL)


def _size(image: np.ndarray, width: float) -> tuple[float, float]:
    """Width and height of a panel for an image, in inches."""
    return width, width * np.shape(image)[0] / np.shape(image)[1]
