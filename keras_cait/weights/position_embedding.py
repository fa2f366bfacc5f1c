"""Position embeddings for another image size, resampled as torch does it."""

import math

import numpy as np


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
    centres = (np.arange(new) + 0.5) * old / new - 0.5
    places = np.arange(old)
    if antialias:
        distance = (places - centres[:, None]) / max(1.0, old / new)
        weights = _cubic(distance, -0.5)
        return weights / weights.sum(axis=1, keepdims=True)
    weights = np.zeros((new, old))
    for offset in range(-1, 3):
        near = np.floor(centres) + offset
        inside = np.clip(near, 0, old - 1).astype(int)
        np.add.at(weights, (np.arange(new), inside), _cubic(centres - near, -0.75))
    return weights


def _cubic(distance: np.ndarray, a: float) -> np.ndarray:
    """Keys's cubic convolution kernel."""
    x = np.abs(distance)
    near = ((a + 2) * x - (a + 3)) * x**2 + 1
    far = a * (((x - 5) * x + 8) * x - 4)
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))
