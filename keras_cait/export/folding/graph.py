"""The graph of a functional model as a list of steps."""

from collections import defaultdict
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any

import keras

from keras_cait.layers.attention.multi_head import MultiHeadAttention
from keras_cait.typing import Tensor


@dataclass(frozen=True, eq=False)
class Step:
    """One call of a layer, or of a Keras operation such as a slice."""

    operation: Any
    arguments: Any
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]

    @property
    def input(self) -> Tensor:
        return self.inputs[0]

    @property
    def output(self) -> Tensor:
        return self.outputs[0]

    def calls(self, *kinds: type) -> bool:
        """Whether it calls one of these kinds, with one output beside scores."""
        outputs = len(self.outputs) - (self.scores is not None)
        return isinstance(self.operation, kinds) and outputs == 1

    @property
    def scores(self) -> Tensor | None:
        """Attention scores, `(batch, heads, queries, keys)`; None if not an output."""
        has_scores = isinstance(self.operation, MultiHeadAttention)
        return self.outputs[1] if has_scores and len(self.outputs) == 2 else None

    @property
    def selected_tokens(self) -> int | slice | None:
        """The 2 or :2 of `x[:, 2]` or `x[:, :2]`; None for other steps."""
        if type(self.operation).__name__ != "GetItem" or len(self.input.shape) != 3:
            return None
        key = self.arguments.args[-1]
        if not isinstance(key, tuple) or len(key) != 2 or key[0] != slice(None):
            return None
        if isinstance(key[1], int):
            return key[1] if key[1] >= 0 else None
        first = isinstance(key[1], slice) and key[1] == slice(key[1].stop)
        return key[1] if first and (key[1].stop or 0) > 0 else None


class Graph:
    """The steps from a model's inputs to its outputs, in topological order."""

    def __init__(self, model: keras.Model) -> None:
        self._outputs = {id(tensor) for tensor in model.outputs}
        pending, before = list(model.outputs), {}
        made = {}
        while pending:
            node = _node(pending.pop())
            if node not in before:
                before[node] = [_node(tensor) for tensor in node.input_tensors]
                pending += node.input_tensors
        self.steps: list[Step] = []
        self._consumers: dict[int, list[Step]] = defaultdict(list)
        for node in TopologicalSorter(before).static_order():
            step = Step(
                node.operation,
                node.arguments,
                tuple(node.input_tensors),
                tuple(node.outputs),
            )
            self.steps.append(step)
            for tensor in step.inputs:
                self._consumers[id(tensor)].append(step)
            made |= {id(tensor): step for tensor in step.outputs}
        self._made = made

    def consumers(self, tensor: Tensor) -> list[Step]:
        return self._consumers[id(tensor)]

    def producer(self, tensor: Tensor) -> Step:
        return self._made[id(tensor)]

    def is_output(self, tensor: Tensor) -> bool:
        return id(tensor) in self._outputs

    def only_consumer(self, tensor: Tensor) -> Step | None:
        """The only step that reads it; None for several, or for a model output."""
        steps = self.consumers(tensor)
        return steps[0] if len(steps) == 1 and not self.is_output(tensor) else None


def _node(tensor: Tensor) -> Any:
    operation, index, _ = tensor._keras_history
    return operation._inbound_nodes[index]
