"""Position embeddings for another image size, resampled as torch does it."""

import math
from pathlib import Path
from typing import TypeAlias

import numpy as np

from keras_cait.typing import Shape
from keras_cait.weights.tensors.stored_tensors import StoredTensor

GridSize: TypeAlias = tuple[int, int]
"""Rows and columns of patches."""

_MOST_PATCHES = 2**16  # of a file; images of 4096 pixels in patches of 16


def fit_position_embedding(
    tensor: StoredTensor,
    expected: Shape,
    grid_size: GridSize,
    *,
    source_grid: GridSize | None,
    square: bool,
    antialias: bool,
    source: str | Path,
) -> StoredTensor:
    """Makes the position embedding of a file one for a model's grid.

    Args:
        tensor: The file's, `(1, prefix + patches, dim)`.
        expected: Shape of the model's.
        grid_size: Rows and columns of patches of the model.
        source_grid: Those of the file; None where it does not say.
        square: See `grid_of_file`.
        antialias: Which form of resampling; see `resample_grid`.
        source: Where the file is, for messages.

    Returns:
        A tensor that is resampled when it is read, which raises `ValueError` if the
        grid of the file is unknown; or the file's, where no grid would make it fit.

    """
    rows, columns = grid_size
    num_prefix_tokens = (expected[1] or 0) - rows * columns
    if len(tensor.shape) != 3 or tensor.shape[::2] != expected[::2]:
        return tensor
    patches = (tensor.shape[1] or 0) - num_prefix_tokens
    if patches < 1:
        return tensor

    def read() -> np.ndarray:
        grid = source_grid or grid_of_file(
            patches, grid_size, square=square, source=source
        )
        _check_grid(grid, patches, source)
        if grid == grid_size:
            return tensor.read()
        return resample_position_embedding(
            np.asarray(tensor.read(), "float32"),
            grid_size,
            num_prefix_tokens,
            source_grid=grid,
            antialias=antialias,
        )

    return StoredTensor(expected, tensor.kind, read)


def grid_of_file(
    patches: int, grid_size: GridSize, *, square: bool, source: str | Path
) -> GridSize:
    """Rows and columns of patches of a file that does not say them: a square.

    Args:
        patches: Their number.
        grid_size: Rows and columns of the model's patches.
        square: Whether the file is of a square even if the model's grid is not and has
            as many patches: true of published weights, not of those that a user saved.
        source: Where the file is, for messages.

    Raises:
        ValueError: If the grid is no square, or need not be one.

    Example:
        >>> grid_of_file(196, (16, 16), square=True, source="deit.safetensors")
        (14, 14)

    """
    rows, columns = grid_size
    side = math.isqrt(patches)
    is_ambiguous = patches == rows * columns and rows != columns and not square
    if side**2 != patches or is_ambiguous:
        raise ValueError(
            f"The file must say which grid its {patches} patches make, unless it is a "
            f"square. Received: {source}, for a model of {rows} x {columns} patches. "
            "Name the file's grid: keras_cait.load_weights(model, path, "
            "grid_size=(rows, columns))."
        )
    return side, side


def _check_grid(grid: GridSize, patches: int, source: str | Path) -> None:
    if min(grid) < 1 or grid[0] * grid[1] != patches or patches > _MOST_PATCHES:
        raise ValueError(
            "The grid of the file must have as many patches as its position embedding, "
            f"{patches}, and {_MOST_PATCHES} at most. Received: {source}, with a grid "
            f"of {grid[0]} x {grid[1]}"
        )


def resample_grid(
    grid: np.ndarray, size: tuple[int, int], *, antialias: bool = False
) -> np.ndarray:
    """Bicubic resampling of a grid of vectors.

    The kernel is torch's, with corners not aligned: a = -0.75 and edges repeated
    as in the official code; with `antialias` a = -0.5, stretched where the grid
    shrinks, as timm has it. Bilinear resampling would shorten the vectors.

    Args:
        grid: `(rows, columns, dim)`.
        size: New rows and columns.
        antialias: Which of the two forms.

    Returns:
        `(*size, dim)`, float32; the same values where the size is the same.

    Example:
        >>> resample_grid(np.ones((2, 2, 3)), (4, 5)).shape
        (4, 5, 3)

    Reference:
        Touvron et al., Training data-efficient image transformers & distillation
        through attention, section 3, https://arxiv.org/abs/2012.12877

    """
    rows, columns = (
        _weights(old, new, antialias)
        for old, new in zip(grid.shape[:2], size, strict=True)
    )
    resampled = np.einsum("ro,cp,opd->rcd", rows, columns, grid.astype("float64"))
    return resampled.astype("float32")


def resample_position_embedding(
    embedding: np.ndarray,
    grid_size: tuple[int, int],
    num_prefix_tokens: int,
    *,
    source_grid: tuple[int, int] | None = None,
    antialias: bool = False,
) -> np.ndarray:
    """A checkpoint's embedding, for a model's grid.

    Args:
        embedding: `(1, num_prefix_tokens + patches, dim)`.
        grid_size: Rows and columns of patches in the model.
        num_prefix_tokens: Tokens in front of the patches; they keep their values.
        source_grid: Rows and columns in the checkpoint; None for a square, as all
            published ones are.
        antialias: Which of the two forms of resampling.

    Returns:
        `(1, num_prefix_tokens + rows * columns, dim)`, or the embedding as it
        came, if its tokens make no such grid and so cannot be meant.

    """
    if embedding.ndim != 3:
        return embedding
    patches = embedding.shape[1] - num_prefix_tokens
    if source_grid is None:
        side = math.isqrt(max(0, patches))
        source_grid = (side, side)
    rows, columns = source_grid
    if source_grid == grid_size or rows * columns != patches or patches == 0:
        return embedding
    prefix, grid = np.split(embedding[0], [num_prefix_tokens])
    grid = grid.reshape(rows, columns, -1)
    grid = resample_grid(grid, grid_size, antialias=antialias)
    return np.concatenate([prefix, grid.reshape(-1, grid.shape[-1])])[None]


def _weights(old: int, new: int, antialias: bool) -> np.ndarray:
    """How much of each old place goes into each new one, `(new, old)`."""
    if old == new:
        return np.eye(old)
    centers = (np.arange(new) + 0.5) * old / new - 0.5
    places = np.arange(old)
    if antialias:
        distance = (places - centers[:, None]) / max(1.0, old / new)
        weights = _cubic(distance, -0.5)
        return weights / weights.sum(axis=1, keepdims=True)
    weights = np.zeros((new, old))
    for offset in range(-1, 3):
        near = np.floor(centers) + offset
        inside = np.clip(near, 0, old - 1).astype(int)
        np.add.at(weights, (np.arange(new), inside), _cubic(centers - near, -0.75))
    return weights


def _cubic(distance: np.ndarray, a: float) -> np.ndarray:
    """Keys's cubic convolution kernel."""
    x = np.abs(distance)
    near = ((a + 2) * x - (a + 3)) * x**2 + 1
    far = a * (((x - 5) * x + 8) * x - 4)
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))
