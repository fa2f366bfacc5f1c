"""Position embeddings resampled for another image size."""

import math

import numpy as np

from keras_cait.typing import Shape
from keras_cait.weights.tensors.stored_tensors import GridSize, StoredTensor

_MOST_PATCHES = 2**16  # of a file; images of 4096 pixels in patches of 16


def fit_position_embedding(
    tensor: StoredTensor,
    shape: Shape,
    grid_size: GridSize,
    *,
    file_grid: GridSize | None,
    is_square: bool,
    antialias: bool,
    source: str,
) -> StoredTensor:
    """Converts the position embedding of a file to a model's shape and grid.

    The result is resampled when it is read, which raises `ValueError` if the grid of
    the file is unknown. It is the file's own tensor where no grid would make it fit.
    """
    rows, columns = grid_size
    num_prefix_tokens = (shape[1] or 0) - rows * columns
    if len(tensor.shape) != 3 or tensor.shape[::2] != shape[::2]:
        return tensor
    patches = (tensor.shape[1] or 0) - num_prefix_tokens
    if patches < 1:
        return tensor

    def read() -> np.ndarray:
        grid = file_grid or _square_grid(
            patches, grid_size, is_square=is_square, source=source
        )
        if min(grid) < 1 or grid[0] * grid[1] != patches or patches > _MOST_PATCHES:
            raise ValueError(
                "The grid of the file must have as many patches as its position "
                f"embedding, {patches}, and {_MOST_PATCHES} at most. Received: "
                f"{source}, with a grid of {grid[0]} x {grid[1]}"
            )
        if grid == grid_size:
            return tensor.read()
        return resample_position_embedding(
            np.asarray(tensor.read(), "float32"),
            grid,
            grid_size,
            num_prefix_tokens,
            antialias=antialias,
        )

    return StoredTensor(shape, tensor.dtype, read)


def _square_grid(
    patches: int, grid_size: GridSize, *, is_square: bool, source: str
) -> GridSize:
    """The square grid of so many patches, where the file must have one."""
    rows, columns = grid_size
    side = math.isqrt(patches)
    is_ambiguous = patches == rows * columns and rows != columns and not is_square
    if side**2 != patches or is_ambiguous:
        raise ValueError(
            f"The file must state the grid of its {patches} patches, unless it is a "
            f"square. Received: {source}, for a model of {rows} x {columns} patches. "
            "Pass the file's grid: keras_cait.load_weights(model, path, "
            "grid_size=(rows, columns))."
        )
    return side, side


def resample_position_embedding(
    embedding: np.ndarray,
    grid_size: GridSize,
    new_grid_size: GridSize,
    num_prefix_tokens: int,
    *,
    antialias: bool = False,
) -> np.ndarray:
    """Resamples a position embedding, `(1, prefix + rows * columns, dim)`.

    The tokens in front of the patches keep their values.
    """
    prefix, grid = np.split(embedding[0], [num_prefix_tokens])
    grid = grid.reshape(*grid_size, -1)  # (rows, columns, dim)
    grid = resample_grid(grid, new_grid_size, antialias=antialias)
    return np.concatenate([prefix, grid.reshape(-1, grid.shape[-1])])[None]


def resample_grid(
    grid: np.ndarray, size: GridSize, *, antialias: bool = False
) -> np.ndarray:
    """Bicubic resampling of `(rows, columns, dim)` to `(*size, dim)`, as in torch.

    The kernel is torch's, with corners not aligned: a = -0.75 and edges repeated as in
    the official code; with `antialias` a = -0.5, stretched where the grid shrinks, as
    in timm. Bilinear resampling would shorten the vectors (DeiT, section 3).
    """
    rows, columns = (
        _weights(old, new, antialias)
        for old, new in zip(grid.shape[:2], size, strict=True)
    )
    resampled = np.einsum("ro,cp,opd->rcd", rows, columns, grid.astype("float64"))
    return resampled.astype("float32")


def _weights(old: int, new: int, antialias: bool) -> np.ndarray:
    """Weight of each old place in each new one, `(new, old)`."""
    if old == new:
        return np.eye(old)
    centers = (np.arange(new) + 0.5) * old / new - 0.5
    if antialias:
        distance = (np.arange(old) - centers[:, None]) / max(1.0, old / new)
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
