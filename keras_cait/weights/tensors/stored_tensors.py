"""Tensors of an open checkpoint beside the tensors that a model expects."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from keras_cait.typing import Shape

GridSize: TypeAlias = tuple[int, int]
"""Rows and columns of patches."""


@dataclass(frozen=True)
class StoredTensor:
    """A tensor of a file, read only when its values are needed."""

    shape: Shape
    dtype: str  # the format's own name for a number type that NumPy does not have
    read: Callable[[], np.ndarray]


@dataclass(frozen=True)
class ExpectedTensor:
    """A tensor that a model takes from a checkpoint, in the checkpoint's layout."""

    shape: Shape
    dtype: str | None  # None for a tensor that may be absent and is not loaded
    grid_size: GridSize | None = None  # the model's, for a position embedding


@dataclass(frozen=True, kw_only=True)
class OpenCheckpoint:
    """An open file, with the names that it has in common with a model."""

    expected: Mapping[str, ExpectedTensor]  # the model's, by name
    found: Mapping[str, StoredTensor]  # the file's, by name
    grids: Mapping[str, GridSize]  # stated in the file, by the embedding's name
    # Whether a position embedding without a stated grid is of square images, even if
    # the model has a rectangular grid of as many patches: so are published weights.
    is_square: bool
    assign: Callable[[Mapping[str, np.ndarray]], None]  # to the model, by name


def dtype_name(dtype: np.dtype) -> str:
    """Name of a NumPy type as in `StoredTensor.dtype`.

    Example:
        >>> dtype_name(np.dtype(">f4")), dtype_name(np.dtype("S8"))
        ('float32', 'string or object')

    """
    if dtype.names is not None:
        return "compound"
    return "string or object" if dtype.kind in "OSU" else dtype.name
