"""Heads of a distilled model whose mean is the output."""

from dataclasses import dataclass

import keras
import numpy as np

from keras_cait.export.folding.graph import Graph, Step
from keras_cait.export.folding.linear_maps import LinearMap
from keras_cait.typing import Tensor


@dataclass(frozen=True)
class MergedHeads:
    """Linear heads of single tokens, averaged."""

    source: Tensor  # tokens, `(batch, tokens, dim)`
    heads: tuple[tuple[int, keras.layers.Dense], ...]  # token index and layer

    @property
    def tokens(self) -> int:
        """Number of first tokens that contain all of theirs."""
        return max(index for index, _ in self.heads) + 1

    def linear_map(self, gain: np.ndarray, offset: np.ndarray) -> LinearMap:
        """Their mean as one map of the concatenated tokens `gain * token + offset`."""
        share = 1 / len(self.heads)
        maps = [
            (
                index,
                LinearMap.of(head).after_affine(gain, offset).scaled(share),
            )
            for index, head in self.heads
        ]
        kernels = np.zeros((self.tokens, *maps[0][1].kernel.shape))
        for index, each in maps:
            kernels[index] += each.kernel
        bias = np.sum([each.bias for _, each in maps], axis=0)
        return LinearMap(kernels.reshape(-1, len(bias)), bias)


def merged_heads(graph: Graph, step: Step) -> MergedHeads | None:
    """The heads that a step averages; None if it is no such average."""
    if not step.calls(keras.layers.Average):
        return None
    found, sources = [], []
    for logits in step.inputs:
        head = graph.producer(logits)
        linear = head.calls(keras.layers.Dense) and graph.only_consumer(logits) is step
        if not linear or head.operation.activation is not keras.activations.linear:
            return None
        token = graph.producer(head.input)
        if not isinstance(token.selected_tokens, int):
            return None
        found.append((token.selected_tokens, head.operation))
        sources.append(token.input)
    if any(source is not sources[0] for source in sources):
        return None
    return MergedHeads(sources[0], tuple(found))
