"""Tensors of the new model, for those of the model that is folded."""

from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np

from keras_cait.export.folding.folded_layers import FoldedTokens
from keras_cait.export.folding.full_precision import float32_step
from keras_cait.export.folding.graph import Graph, Step
from keras_cait.export.folding.linear_maps import LinearMap, values
from keras_cait.export.folding.required_tensors import (
    EVERY_TOKEN,
    RequiredTensors,
    is_identity,
)
from keras_cait.layers import LayerScale
from keras_cait.typing import Tensor


@dataclass(frozen=True)
class FoldedTensor:
    """Value of the old model: `gain * tensor + offset`, or `pad(tensor) + constant`."""

    tensor: Tensor  # of the new model
    gain: np.ndarray | None = None  # per channel, folded by the next layer; None for 1
    offset: np.ndarray | None = None  # likewise; None for 0
    prefix: int = 0  # number of learned tokens to insert in front
    constant: np.ndarray | None = None  # to add, `(tokens, dim)`
    centered: bool = False  # the mean over the channels is 0 for each token
    name: str = ""  # of the layer that adds `constant`


class Folding:
    """The state of rebuilding a model."""

    def __init__(self, model: keras.Model) -> None:
        self.graph = Graph(model)
        self.required = RequiredTensors(self.graph)
        self.absorbed: set[Step] = set()  # folded into the linear layer before
        self._folded: dict[int, FoldedTensor] = {}
        self._first: dict[tuple[int, float], Tensor] = {}

    def set(self, tensor: Tensor, folded: FoldedTensor) -> None:
        self._folded[id(tensor)] = folded

    def has(self, tensor: Tensor) -> bool:
        return id(tensor) in self._folded

    def unfinished(self, tensor: Tensor) -> FoldedTensor:
        """Its folded tensor, whose constant may still have to be added."""
        return self._folded[id(tensor)]

    def read(self, tensor: Tensor, tokens: float = EVERY_TOKEN) -> FoldedTensor:
        """Its folded tensor, or that of its first tokens, with the constant added."""
        found = self._folded[id(tensor)]
        if found.constant is not None:
            found = self._folded[id(tensor)] = _add_constant(found)
        if tokens == EVERY_TOKEN or tokens >= found.tensor.shape[1]:
            return found
        key = (id(found.tensor), tokens)
        if key not in self._first:
            self._first[key] = found.tensor[:, : int(tokens)]
        return replace(found, tensor=self._first[key])

    def tensor(self, tensor: Tensor) -> Tensor:
        """Its tensor, for layers that fold nothing."""
        return self.read(tensor).tensor

    def affine(
        self, tensor: Tensor, tokens: float = EVERY_TOKEN
    ) -> tuple[Tensor, np.ndarray, np.ndarray]:
        """Its tensor, gain and offset, for layers that fold them."""
        found = self.read(tensor, tokens)
        channels = found.tensor.shape[-1]
        gain = np.ones(channels) if found.gain is None else found.gain
        offset = np.zeros(channels) if found.offset is None else found.offset
        return found.tensor, gain, offset

    def required_tokens(self, step: Step) -> float:
        """Number of first tokens of its output that are required."""
        return self.required.tokens(step.output)

    def output_map(
        self, step: Step, layer: keras.layers.Dense
    ) -> tuple[LinearMap, bool]:
        """A branch's last layer with its LayerScale, and whether it is centered."""
        gain: np.ndarray | float = 1.0
        end = step.output
        while (reader := self.graph.only_consumer(end)) is not None:
            if reader.calls(LayerScale):
                gain = gain * values(reader.operation.gamma)
                self.absorbed.add(reader)
            elif not is_identity(reader):
                break
            end = reader.output
        scaled = LinearMap.of(layer).scaled(gain)
        if not self.required.is_shiftable(end):
            return scaled, False
        return scaled.centered(), True

    def rebuild(self, step: Step) -> Any:
        """Outputs of the same layer with the same weights, in float32."""
        layer = float32_step(step.operation)
        tensors = {id(tensor): self.tensor(tensor) for tensor in step.inputs}
        args, kwargs = step.arguments.fill_in(tensors)
        results = layer(*args, **kwargs)
        if isinstance(layer, keras.layers.Layer):
            layer.set_weights(step.operation.get_weights())
        return results


def _add_constant(found: FoldedTensor) -> FoldedTensor:
    layer = FoldedTokens(
        prefix=found.prefix, dtype="float32", name=f"{found.name}_constant"
    )
    tensor = layer(found.tensor)
    assign(layer.constant, found.constant)
    return FoldedTensor(tensor, centered=found.centered)


def assign(variable: Any, numbers: np.ndarray | None) -> None:
    """Assigns float64 numbers to a weight; only here they are rounded to float32."""
    variable.assign(np.asarray(numbers, "float32").reshape(variable.shape))
