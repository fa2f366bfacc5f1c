"""Conversion between one tensor of timm and one weight of a Keras model."""

from dataclasses import dataclass
from typing import ClassVar

import keras
import numpy as np

from keras_cait.typing import Shape


@dataclass(frozen=True)
class Parameter:
    """A Keras variable and its layout in timm."""

    variable: keras.Variable
    axes: tuple[int, ...]  # place of each of its axes in timm's tensor

    @property
    def timm_shape(self) -> Shape:
        return tuple(self.variable.shape[axis] for axis in np.argsort(self.axes))

    @property
    def dtype(self) -> str:
        return self.variable.dtype

    def from_timm(self, tensor: np.ndarray) -> np.ndarray:
        """timm's tensor in Keras's layout."""
        return tensor.transpose(self.axes)

    def to_timm(self) -> np.ndarray:
        """The variable's value in timm's layout."""
        value = keras.ops.convert_to_numpy(self.variable.value)
        return np.ascontiguousarray(value.transpose(np.argsort(self.axes)))


@dataclass(frozen=True)
class BatchCount:
    """The number of batches that a batch normalization in torch was trained on.

    Keras does not count batches, and torch reads the count only without a constant
    momentum. A file's count is dropped, and 0 is written, so that our files hold
    every name that timm's do.
    """

    timm_shape: ClassVar[Shape] = ()
    dtype: ClassVar[None] = None  # not loaded

    def to_timm(self) -> np.ndarray:
        return np.zeros((), np.int64)
