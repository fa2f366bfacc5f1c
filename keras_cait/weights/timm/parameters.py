"""One tensor of timm's and where it stands in our models."""

from dataclasses import dataclass

import keras
import numpy as np

from keras_cait.typing import Shape


@dataclass(frozen=True)
class Parameter:
    """One of our variables and how timm lays it out.

    Attributes:
        variable: The Keras variable.
        axes: Where each of its axes stands in timm's tensor.
    """

    variable: keras.Variable
    axes: tuple[int, ...]

    @property
    def timm_shape(self) -> Shape:
        """The shape of timm's tensor."""
        return tuple(self.variable.shape[axis] for axis in np.argsort(self.axes))

    def from_timm(self, tensor: np.ndarray) -> np.ndarray:
        """timm's tensor in Keras's layout."""
        return tensor.transpose(self.axes)

    def assign(self, tensor: np.ndarray) -> None:
        """Gives the variable the value of timm's tensor."""
        self.variable.assign(self.from_timm(tensor))

    def to_timm(self) -> np.ndarray:
        """The variable's value in timm's layout."""
        value = keras.ops.convert_to_numpy(self.variable.value)
        return np.ascontiguousarray(value.transpose(np.argsort(self.axes)))


@dataclass(frozen=True)
class BatchCount:
    """The number of batches that a normalization in torch has been trained on.

    Keras counts none, and nothing reads it where the momentum is a constant, as
    it is here. A file's number is dropped and 0 written in its place, so that the
    files we write hold every name that timm's do.
    """

    timm_shape: Shape = ()

    def assign(self, tensor: np.ndarray) -> None:
        """Keeps nothing."""

    def to_timm(self) -> np.ndarray:
        """No batches, as a scalar."""
        return np.zeros((), np.int64)
