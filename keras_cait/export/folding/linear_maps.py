"""Linear layers as numbers in float64, in which factors are folded."""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np


def values(variable: Any) -> np.ndarray:
    """A weight in float64."""
    return np.array(keras.ops.convert_to_numpy(variable), dtype="float64")


@dataclass(frozen=True)
class LinearMap:
    """`y = x @ kernel + bias`.

    Attributes:
        kernel: `(dim_in, dim_out)`.
        bias: `(dim_out,)`.

    Example:
        >>> double = LinearMap(2 * np.eye(2), np.ones(2))
        >>> double.reading(np.array([10.0, 1.0]), np.zeros(2)).kernel.tolist()
        [[20.0, 0.0], [0.0, 2.0]]

    """

    kernel: np.ndarray
    bias: np.ndarray

    @classmethod
    def of(cls, layer: keras.layers.Dense) -> "LinearMap":
        """That of a layer."""
        bias = np.zeros(layer.units) if layer.bias is None else values(layer.bias)
        return cls(values(layer.kernel), bias)

    @classmethod
    def beside(cls, *maps: "LinearMap") -> "LinearMap":
        """One map of the same vector, whose results stand one behind another."""
        return cls(
            np.concatenate([each.kernel for each in maps], axis=1),
            np.concatenate([each.bias for each in maps]),
        )

    def parts(self, number: int) -> list["LinearMap"]:
        """Undoes `beside` for results of one length."""
        return [
            LinearMap(kernel, bias)
            for kernel, bias in zip(
                np.split(self.kernel, number, axis=1),
                np.split(self.bias, number),
                strict=True,
            )
        ]

    def reading(self, gain: np.ndarray, offset: np.ndarray) -> "LinearMap":
        """The map of `x` that equals this one of `gain * x + offset`."""
        bias = self.bias + offset @ self.kernel
        return LinearMap(gain[:, None] * self.kernel, bias)

    def scaled(self, gain: np.ndarray | float) -> "LinearMap":
        """`gain * y`."""
        return LinearMap(self.kernel * gain, self.bias * gain)

    def centered(self) -> "LinearMap":
        """`y - mean(y)`."""
        return LinearMap(centered(self.kernel), centered(self.bias))

    def give(self, layer: keras.layers.Dense) -> None:
        """Makes it that of a built layer with a bias."""
        layer.kernel.assign(self.kernel.astype("float32"))
        layer.bias.assign(self.bias.astype("float32"))


def centered(vectors: np.ndarray) -> np.ndarray:
    """Vectors without their mean over the channels, the last axis."""
    return vectors - vectors.mean(axis=-1, keepdims=True)
