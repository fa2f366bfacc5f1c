"""Linear layers as float64 arrays, in which factors are folded."""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np


def values(variable: Any) -> np.ndarray:
    """A weight as a float64 array."""
    return np.array(keras.ops.convert_to_numpy(variable), dtype="float64")


@dataclass(frozen=True)
class LinearMap:
    """`y = x @ kernel + bias`, with `(dim_in, dim_out)` and `(dim_out,)`."""

    kernel: np.ndarray
    bias: np.ndarray

    @classmethod
    def of(cls, layer: keras.layers.Dense) -> "LinearMap":
        bias = np.zeros(layer.units) if layer.bias is None else values(layer.bias)
        return cls(values(layer.kernel), bias)

    @classmethod
    def concatenated(cls, *maps: "LinearMap") -> "LinearMap":
        """One map with the outputs of all, concatenated."""
        return cls(
            np.concatenate([each.kernel for each in maps], axis=1),
            np.concatenate([each.bias for each in maps]),
        )

    def split(self, number: int) -> list["LinearMap"]:
        """The inverse of `concatenated`, for outputs of equal length."""
        return [
            LinearMap(kernel, bias)
            for kernel, bias in zip(
                np.split(self.kernel, number, axis=1),
                np.split(self.bias, number),
                strict=True,
            )
        ]

    def after_affine(self, gain: np.ndarray, offset: np.ndarray) -> "LinearMap":
        """The map of `x` that equals this one applied to `gain * x + offset`."""
        bias = self.bias + offset @ self.kernel
        return LinearMap(gain[:, None] * self.kernel, bias)

    def scaled(self, gain: np.ndarray | float) -> "LinearMap":
        """`gain * y`."""
        return LinearMap(self.kernel * gain, self.bias * gain)

    def centered(self) -> "LinearMap":
        """`y - mean(y)`."""
        return LinearMap(centered(self.kernel), centered(self.bias))

    def assign_to(self, layer: keras.layers.Dense) -> None:
        """Assigns it to a built layer with a bias."""
        layer.kernel.assign(self.kernel.astype("float32"))
        layer.bias.assign(self.bias.astype("float32"))


def centered(vectors: np.ndarray) -> np.ndarray:
    """Vectors minus their mean over the last axis."""
    return vectors - vectors.mean(axis=-1, keepdims=True)
