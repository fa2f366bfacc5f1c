"""The two heads of a distilled model, of which only the mean is wanted."""

from dataclasses import dataclass

import keras
import numpy as np

from keras_cait.export.folding.graph import Graph, Step
from keras_cait.export.folding.linear_maps import LinearMap
from keras_cait.typing import Tensor


@dataclass(frozen=True)
class MergedHeads:
    """Linear heads of single tokens, averaged.

    Attributes:
        source: The tokens, `(batch, tokens, dim)`.
        heads: Index of the token that each head reads, and the head.
    """

    source: Tensor
    heads: tuple[tuple[int, keras.layers.Dense], ...]

    @property
    def tokens(self) -> int:
        """How many of the first tokens they read."""
        return max(index for index, _ in self.heads) + 1

    @property
    def name(self) -> str:
        """That of the first."""
        return self.heads[0][1].name

    def linear_map(self, gain: np.ndarray, offset: np.ndarray) -> LinearMap:
        """Their mean, as one map of the first tokens laid in a row.

        Args:
            gain: What the tokens are multiplied with, `(dim,)`.
            offset: What is added to them then.

        """
        maps = [
            (
                index,
                LinearMap.of(head).reading(gain, offset).scaled(1 / len(self.heads)),
            )
            for index, head in self.heads
        ]
        kernels = np.zeros((self.tokens, *maps[0][1].kernel.shape))
        for index, each in maps:
            kernels[index] += each.kernel
        bias = np.sum([each.bias for _, each in maps], axis=0)
        return LinearMap(kernels.reshape(-1, len(bias)), bias)


def merged_heads(graph: Graph, step: Step) -> MergedHeads | None:
    """The heads whose mean a step takes; None if it does something else."""
    if not step.calls(keras.layers.Average):
        return None
    found, sources = [], []
    for logits in step.inputs:
        head = graph.maker(logits)
        linear = head.calls(keras.layers.Dense) and graph.only_reader(logits) is step
        if not linear or head.operation.activation is not keras.activations.linear:
            return None
        token = graph.maker(head.input)
        if not isinstance(token.picked_tokens, int):
            return None
        found.append((token.picked_tokens, head.operation))
        sources.append(token.input)
    if any(source is not sources[0] for source in sources):
        return None
    return MergedHeads(sources[0], tuple(found))
