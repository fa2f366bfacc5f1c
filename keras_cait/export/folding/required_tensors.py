"""Tokens of each tensor that a model's outputs depend on."""

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
from keras_cait.models.features.class_attention_maps import ClassAttentionMaps
from keras_cait.typing import Tensor

EVERY_TOKEN = math.inf


def is_identity(step: Step) -> bool:
    """Whether its output equals its input at inference."""
    kinds = (keras.layers.Dropout, StochasticDepth, keras.layers.Identity)
    if step.calls(keras.layers.Activation):
        return step.operation.activation is keras.activations.linear
    if step.calls(ImagePreprocessing):
        return not step.operation.normalize
    return step.calls(*kinds)


def is_norm(step: Step) -> bool:
    """Whether it is layer normalization over the channels."""
    if not step.calls(keras.layers.LayerNormalization):
        return False
    axes, rank = step.operation.axis, len(step.input.shape)
    axes = [axes] if isinstance(axes, int) else list(axes)
    return axes in ([-1], [rank - 1])


def is_concatenation(step: Step) -> bool:
    """Whether it concatenates tokens."""
    if not step.calls(keras.layers.Concatenate) or len(step.output.shape) != 3:
        return False
    return step.operation.axis in (1, -2)


class RequiredTensors:
    """Required tokens of each tensor, and the changes that no output shows."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._tokens: dict[int, float] = defaultdict(float)
        self._shiftable: dict[int, bool] = {}
        for step in reversed(graph.steps):
            for tensor in step.outputs:
                if graph.is_output(tensor):
                    self._tokens[id(tensor)] = EVERY_TOKEN
                self._shiftable[id(tensor)] = not graph.is_output(tensor) and all(
                    self._ignores_shifts(reader) for reader in graph.consumers(tensor)
                )
            if any(self.tokens(tensor) for tensor in step.outputs):
                for tensor, tokens in self._reads(step):
                    most = max(tokens, self._tokens[id(tensor)])
                    whole = len(tensor.shape) != 3 or most >= tensor.shape[1]
                    self._tokens[id(tensor)] = EVERY_TOKEN if whole else most

    def tokens(self, tensor: Tensor) -> float:
        """Number of its first tokens that the outputs depend on."""
        return self._tokens[id(tensor)]

    def queries(self, step: Step) -> float:
        """Number of first queries whose attention scores the outputs depend on."""
        scores = step.scores
        if scores is None or not self.tokens(scores):
            return 0
        readers = self._graph.consumers(scores)
        first = all(reader.calls(ClassAttentionMaps) for reader in readers)
        return 1 if first and not self._graph.is_output(scores) else EVERY_TOKEN

    def is_shiftable(self, tensor: Tensor) -> bool:
        """Whether adding one number to all channels of a token changes no output.

        If so, all paths lead to LayerNorm, which subtracts the mean over the channels.
        """
        return self._shiftable[id(tensor)]

    def is_absorbed(self, tensor: Tensor) -> bool:
        """Whether only linear layers read it, which can absorb a gain and a bias."""
        steps = self._graph.consumers(tensor)
        if not steps or self._graph.is_output(tensor):
            return False
        linear = (SelfAttention, ClassAttention, FeedForward, keras.layers.Dense)
        return all(
            step.calls(*linear)
            or (
                (step.selected_tokens is not None or is_identity(step))
                and self.is_absorbed(step.output)
            )
            for step in steps
        )

    def _ignores_shifts(self, step: Step) -> bool:
        if is_norm(step):
            return True
        kinds = (keras.layers.Add, LearnedToken, PositionEmbedding)
        keeps = (
            step.selected_tokens is not None
            or is_identity(step)
            or is_concatenation(step)
        )
        return (keeps or step.calls(*kinds)) and self._shiftable[id(step.output)]

    def _reads(self, step: Step) -> list[tuple[Tensor, float]]:
        """Tokens of its inputs that the required tokens of its output depend on."""
        needed = self.tokens(step.output)
        heads = merged_heads(self._graph, step)
        if heads is not None:
            return [(heads.source, heads.tokens)]
        selected = step.selected_tokens
        if isinstance(selected, slice):
            return [(step.input, min(needed, selected.stop))]
        if selected is not None:
            return [(step.input, selected + 1)]
        if is_concatenation(step) and needed <= step.input.shape[1]:
            return [(step.input, needed)]
        alike = (FeedForward, LayerScale, keras.layers.Add)
        one_shape = all(tensor.shape == step.output.shape for tensor in step.inputs)
        if one_shape and (is_norm(step) or is_identity(step) or step.calls(*alike)):
            return [(tensor, needed) for tensor in step.inputs]
        return [(tensor, EVERY_TOKEN) for tensor in step.inputs]
