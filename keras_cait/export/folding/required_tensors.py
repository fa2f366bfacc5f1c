"""What a model's results need of the tensors within it, read from the end."""

import math
from collections import defaultdict

import keras

from keras_cait.export.folding.graph import Graph, Step
from keras_cait.export.folding.merged_heads import merged_heads
from keras_cait.layers import (
    ClassAttention,
    FeedForward,
    ImagePreprocessing,
    LayerScale,
    PositionEmbedding,
    SelfAttention,
    StochasticDepth,
)
from keras_cait.layers.tokens import LearnedToken
from keras_cait.typing import Tensor

EVERY_TOKEN = math.inf


def is_idle(step: Step) -> bool:
    """Whether it gives at inference what it gets."""
    kinds = (keras.layers.Dropout, StochasticDepth, keras.layers.Identity)
    if step.calls(keras.layers.Activation):
        return step.operation.activation is keras.activations.linear
    if step.calls(ImagePreprocessing):
        return not step.operation.normalize
    return step.calls(*kinds)


def is_norm(step: Step) -> bool:
    """Whether it is a layer normalization over the channels."""
    if not step.calls(keras.layers.LayerNormalization):
        return False
    axes, rank = step.operation.axis, len(step.input.shape)
    axes = [axes] if isinstance(axes, int) else list(axes)
    return axes in ([-1], [rank - 1])


def is_join(step: Step) -> bool:
    """Whether it puts tokens behind tokens."""
    if not step.calls(keras.layers.Concatenate) or len(step.output.shape) != 3:
        return False
    return step.operation.axis in (1, -2)


class Needs:
    """How much of a tensor is needed, and in which of its parts it may be changed.

    Args:
        graph: The model.

    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._tokens: dict[int, float] = defaultdict(float)
        self._shiftable: dict[int, bool] = {}
        for step in reversed(graph.steps):
            for tensor in step.outputs:
                if graph.is_result(tensor):
                    self._tokens[id(tensor)] = EVERY_TOKEN
                readers = graph.readers(tensor)
                self._shiftable[id(tensor)] = not graph.is_result(tensor) and all(
                    self._ignores_shifts(reader) for reader in readers
                )
            if any(self.tokens(tensor) for tensor in step.outputs):
                for tensor, tokens in self._reads(step):
                    most = max(tokens, self._tokens[id(tensor)])
                    whole = len(tensor.shape) != 3 or most >= tensor.shape[1]
                    self._tokens[id(tensor)] = EVERY_TOKEN if whole else most

    def tokens(self, tensor: Tensor) -> float:
        """How many of its first tokens are needed; 0 for none of it."""
        return self._tokens[id(tensor)]

    def is_shiftable(self, tensor: Tensor) -> bool:
        """Whether the same number may be added to all channels of a token.

        It is so where nothing but layer normalization sees them in the end, which
        takes their mean off.
        """
        return self._shiftable[id(tensor)]

    def is_absorbed(self, tensor: Tensor) -> bool:
        """Whether only linear layers read it, which can take a gain and bias over."""
        readers = self._graph.readers(tensor)
        if not readers or self._graph.is_result(tensor):
            return False
        linear = (SelfAttention, ClassAttention, FeedForward, keras.layers.Dense)
        return all(
            reader.calls(*linear)
            or (
                (reader.picked_tokens is not None or is_idle(reader))
                and self.is_absorbed(reader.output)
            )
            for reader in readers
        )

    def _ignores_shifts(self, step: Step) -> bool:
        if is_norm(step):
            return True
        kinds = (keras.layers.Add, LearnedToken, PositionEmbedding)
        keeps = step.picked_tokens is not None or is_idle(step) or is_join(step)
        return (keeps or step.calls(*kinds)) and self._shiftable[id(step.output)]

    def _reads(self, step: Step) -> list[tuple[Tensor, float]]:
        """What it reads of its inputs, so that its outputs can be what is needed."""
        needed = self.tokens(step.output)
        heads = merged_heads(self._graph, step)
        if heads is not None:
            return [(heads.source, heads.tokens)]
        picked = step.picked_tokens
        if isinstance(picked, slice):
            return [(step.input, min(needed, picked.stop))]
        if picked is not None:
            return [(step.input, picked + 1)]
        if is_join(step) and needed <= step.input.shape[1]:
            return [(step.input, needed)]
        alike = (FeedForward, LayerScale, keras.layers.Add)
        one_shape = all(tensor.shape == step.output.shape for tensor in step.inputs)
        if one_shape and (is_norm(step) or is_idle(step) or step.calls(*alike)):
            return [(tensor, needed) for tensor in step.inputs]
        return [(tensor, EVERY_TOKEN) for tensor in step.inputs]
