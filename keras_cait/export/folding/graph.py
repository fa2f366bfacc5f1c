"""A functional model read as steps: what is done to which tensors, in order."""

from collections import defaultdict
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any

import keras

from keras_cait.typing import Tensor


@dataclass(frozen=True, eq=False)
class Step:
    """One call of a layer, or of an operation between layers.

    Attributes:
        operation: What is called.
        arguments: With what, as Keras keeps it.
        inputs: The symbolic tensors among that.
        outputs: What comes out.
    """

    operation: Any
    arguments: Any
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]

    @property
    def input(self) -> Tensor:
        """The first of `inputs`."""
        return self.inputs[0]

    @property
    def output(self) -> Tensor:
        """The first of `outputs`."""
        return self.outputs[0]

    def calls(self, *kinds: type) -> bool:
        """Whether one of these makes one tensor here."""
        return isinstance(self.operation, kinds) and len(self.outputs) == 1

    @property
    def picked_tokens(self) -> int | slice | None:
        """The 2 of `x[:, 2]` or of `x[:, :2]`, as index or slice; None if neither."""
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
    """The steps from a model's inputs to its outputs.

    Attributes:
        steps: In an order in which they can be done.

    Example:
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
        >>> [type(step.operation).__name__ for step in Graph(model).steps]
        ['InputLayer', 'Dense']

    """

    def __init__(self, model: keras.Model) -> None:
        self._results = {id(tensor) for tensor in model.outputs}
        pending, before = list(model.outputs), {}
        made = {}
        while pending:
            node = _node(pending.pop())
            if node not in before:
                before[node] = [_node(tensor) for tensor in node.input_tensors]
                pending += node.input_tensors
        self.steps: list[Step] = []
        self._readers: dict[int, list[Step]] = defaultdict(list)
        for node in TopologicalSorter(before).static_order():
            step = Step(
                node.operation,
                node.arguments,
                tuple(node.input_tensors),
                tuple(node.outputs),
            )
            self.steps.append(step)
            for tensor in step.inputs:
                self._readers[id(tensor)].append(step)
            made |= {id(tensor): step for tensor in step.outputs}
        self._made = made

    def readers(self, tensor: Tensor) -> list[Step]:
        """The steps that read it."""
        return self._readers[id(tensor)]

    def maker(self, tensor: Tensor) -> Step:
        """The step that makes it."""
        return self._made[id(tensor)]

    def is_result(self, tensor: Tensor) -> bool:
        """Whether the model gives it."""
        return id(tensor) in self._results

    def only_reader(self, tensor: Tensor) -> Step | None:
        """The step that alone sees it; None if several do, or whoever calls."""
        readers = self.readers(tensor)
        return readers[0] if len(readers) == 1 and not self.is_result(tensor) else None


def _node(tensor: Tensor) -> Any:
    operation, index, _ = tensor._keras_history
    return operation._inbound_nodes[index]
