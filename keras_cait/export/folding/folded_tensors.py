"""What stands for the tensors of a model while it is rebuilt for inference."""

from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np

from keras_cait.export.folding.folded_layers import FoldedTokens
from keras_cait.export.folding.full_precision import float32_step
from keras_cait.export.folding.graph import Graph, Step
from keras_cait.export.folding.linear_maps import LinearMap, values
from keras_cait.export.folding.required_tensors import EVERY_TOKEN, Needs, is_idle
from keras_cait.layers import LayerScale
from keras_cait.typing import Tensor


@dataclass(frozen=True)
class Folded:
    """Either `gain * tensor + offset`, or `pad(tensor) + constant`.

    Attributes:
        tensor: Of the new model.
        gain: Of each channel, for the readers to fold; None for 1.
        offset: Likewise; None for 0.
        prefix: Learned tokens that are still to be put in front.
        constant: What is still to be added to the tokens, `(tokens, dim)`, or None.
        centered: Whether each token's mean over the channels is 0.
        name: Of the layer that made it, where something is to be added.
    """

    tensor: Tensor
    gain: np.ndarray | None = None
    offset: np.ndarray | None = None
    prefix: int = 0
    constant: np.ndarray | None = None
    centered: bool = False
    name: str = ""


class Folding:
    """A model half rebuilt.

    Args:
        model: The old one.

    Attributes:
        graph: Its steps.
        needs: What its results need.
        taken_over: Steps that a linear layer in front of them does as well.
    """

    def __init__(self, model: keras.Model) -> None:
        self.graph = Graph(model)
        self.needs = Needs(self.graph)
        self.taken_over: set[Step] = set()
        self._folded: dict[int, Folded] = {}
        self._first: dict[tuple[int, float], Tensor] = {}

    def put(self, tensor: Tensor, folded: Folded) -> None:
        """Says what stands for a tensor of the old model."""
        self._folded[id(tensor)] = folded

    def has(self, tensor: Tensor) -> bool:
        """Whether something stands for it."""
        return id(tensor) in self._folded

    def pending(self, tensor: Tensor) -> Folded:
        """What stands for it, with whatever is still to be added."""
        return self._folded[id(tensor)]

    def read(self, tensor: Tensor, tokens: float = EVERY_TOKEN) -> Folded:
        """What stands for it, or for its first tokens, with nothing to be added."""
        found = self._folded[id(tensor)]
        if found.constant is not None:
            found = self._folded[id(tensor)] = _add_constant(found)
        if tokens == EVERY_TOKEN or tokens >= found.tensor.shape[1]:
            return found
        key = (id(found.tensor), tokens)
        if key not in self._first:
            self._first[key] = found.tensor[:, : int(tokens)]
        return replace(found, tensor=self._first[key])

    def whole(self, tensor: Tensor) -> Tensor:
        """The same for readers that fold nothing."""
        return self.read(tensor).tensor

    def affine(
        self, tensor: Tensor, tokens: float = EVERY_TOKEN
    ) -> tuple[Tensor, np.ndarray, np.ndarray]:
        """The same for those that fold: a tensor, its gain and its offset."""
        found = self.read(tensor, tokens)
        channels = found.tensor.shape[-1]
        gain = np.ones(channels) if found.gain is None else found.gain
        offset = np.zeros(channels) if found.offset is None else found.offset
        return found.tensor, gain, offset

    def needed(self, step: Step) -> float:
        """How many tokens of its output are needed."""
        return self.needs.tokens(step.output)

    def written(self, step: Step, layer: keras.layers.Dense) -> tuple[LinearMap, bool]:
        """What a branch's last layer becomes, with the LayerScale behind it.

        Args:
            step: The branch.
            layer: Its last layer.

        Returns:
            The map, and whether its results are centered.

        """
        gain: np.ndarray | float = 1.0
        end = step.output
        while (reader := self.graph.only_reader(end)) is not None:
            if reader.calls(LayerScale):
                gain = gain * values(reader.operation.gamma)
                self.taken_over.add(reader)
            elif not is_idle(reader):
                break
            end = reader.output
        scaled = LinearMap.of(layer).scaled(gain)
        if not self.needs.is_shiftable(end):
            return scaled, False
        return scaled.centered(), True

    def again(self, step: Step) -> Any:
        """Results of the same layer with the same weights."""
        layer = float32_step(step.operation)
        tensors = {id(tensor): self.whole(tensor) for tensor in step.inputs}
        args, kwargs = step.arguments.fill_in(tensors)
        results = layer(*args, **kwargs)
        if isinstance(layer, keras.layers.Layer):
            layer.set_weights(step.operation.get_weights())
        return results


def _add_constant(found: Folded) -> Folded:
    layer = FoldedTokens(
        prefix=found.prefix, dtype="float32", name=f"{found.name}_constant"
    )
    tensor = layer(found.tensor)
    assign(layer.constant, found.constant)
    return Folded(tensor, centered=found.centered)


def assign(variable: Any, numbers: np.ndarray | None) -> None:
    """Gives a weight of the new model its numbers, rounded to float32 only here."""
    variable.assign(np.asarray(numbers, "float32").reshape(variable.shape))
