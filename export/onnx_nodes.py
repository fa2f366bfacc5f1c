"""The nodes of an ONNX graph by the tensors that they make and read."""

from collections import defaultdict
from typing import Any

import numpy as np
from keras_cait.export.packages import needed

Shape = tuple[int | None, ...]
"""Sizes of a tensor's axes; None where one is not known, as the batch's."""


class OnnxNodes:
    """An index of a graph as it was when the index was made.

    Args:
        model: An `onnx.ModelProto`.

    Attributes:
        graph: Of the model.
        shapes: Of every tensor, as far as inference knows.
        readers: The nodes that read a tensor.

    Example:
        >>> from onnx import TensorProto, helper
        >>> x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 3])
        ...         for name in "xy")
        >>> graph = helper.make_graph(
        ...     [helper.make_node("Relu", ["x"], ["y"])], "graph", [x], [y])
        >>> nodes = OnnxNodes(helper.make_model(graph))
        >>> nodes.shapes["y"], nodes.maker("y", "Relu").op_type, nodes.maker("x")
        ((None, 3), 'Relu', None)

    """

    def __init__(self, model: Any) -> None:
        self.graph = model.graph
        self.shapes = tensor_shapes(model)
        self.readers = defaultdict(list)
        self._makers = {}
        for node in self.graph.node:
            self._makers |= dict.fromkeys(node.output, node)
            for name in dict.fromkeys(node.input):
                self.readers[name].append(node)
        self._constants = {tensor.name: tensor for tensor in self.graph.initializer}

    def of(self, kind: str) -> list[Any]:
        """All nodes of an operator."""
        return [node for node in self.graph.node if node.op_type == kind]

    def maker(self, name: str, kind: str | None = None) -> Any | None:
        """The node that makes a tensor, if it is of that operator."""
        node = self._makers.get(name)
        return node if node is None or kind in (None, node.op_type) else None

    def only_reader(self, name: str, kind: str) -> Any | None:
        """The node that alone reads a tensor, if it is of that operator."""
        readers = self.readers[name]
        return readers[0] if [node.op_type for node in readers] == [kind] else None

    def constant(self, name: str) -> np.ndarray | None:
        """The value of a tensor, if it is a constant."""
        tensor = self._constants.get(name)
        return None if tensor is None else needed("onnx").numpy_helper.to_array(tensor)

    def with_constant(self, node: Any) -> tuple[str, str] | None:
        """The two tensors that a node reads, its constant last, if one is constant."""
        first, second = node.input
        if second in self._constants:
            return first, second
        return (second, first) if first in self._constants else None

    def add_constant(self, name: str, value: np.ndarray) -> str:
        """Makes a constant of a name, unless it is there, and returns the name."""
        if name not in self._constants:
            tensor = needed("onnx").numpy_helper.from_array(value, name)
            self.graph.initializer.append(tensor)
            self._constants[name] = tensor
        return name


def tensor_shapes(model: Any) -> dict[str, Shape]:
    """Shape of every tensor of an `onnx.ModelProto`, by inference.

    Raises:
        ValueError: If types or shapes do not fit each other.

    """
    inference = needed("onnx").shape_inference
    try:  # through the values, too, that shapes are computed from
        inferred = inference.infer_shapes(
            model, check_type=True, strict_mode=True, data_prop=True
        )
    except inference.InferenceError as error:
        raise ValueError(f"The graph is not valid ONNX: {error}") from error
    graph = inferred.graph
    shapes: dict[str, Shape] = {
        value.name: tuple(
            axis.dim_value if axis.HasField("dim_value") else None
            for axis in value.type.tensor_type.shape.dim
        )
        for value in (*graph.input, *graph.output, *graph.value_info)
    }
    return shapes | {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}


def drop_unused(graph: Any) -> None:
    """Takes out nodes and constants that nothing reads."""
    wanted = {value.name for value in graph.output}
    nodes = []
    for node in reversed(graph.node):  # which stand in the order of computing
        if wanted.intersection(node.output):
            wanted.update(node.input)
            nodes.append(node)
    constants = [tensor for tensor in graph.initializer if tensor.name in wanted]
    for kept, entries in (
        (graph.node, nodes[::-1]),
        (graph.initializer, constants),
        (graph.value_info, []),
    ):
        entries = [
            type(entry).FromString(entry.SerializeToString()) for entry in entries
        ]
        del kept[:]
        kept.extend(entries)
