"""Rewriting of layer normalization and GELU for ONNX runtimes."""

import math
from typing import Any

import numpy as np

from keras_cait.export.onnx_graph.file import tensor_shapes
from keras_cait.optional_packages import import_optional

LAYER_NORMALIZATION = 17  # the first opset that has it


def name_operators(model: Any, opset: int) -> None:
    """Writes each norm of a folded model as one operator, and GELU so that it is fused.

    - `x / sqrt(mean(x**2) + epsilon)` is layer normalization if the mean of `x` is 0,
      as in folded models. Every runtime has layer normalization, few have RMS norm.
    - `erf(x * sqrt(1/2))` becomes `erf(x / sqrt(2))`, the pattern that runtimes fuse.

    The valid `onnx.ModelProto` is changed in place.

    Reference:
        Jiang et al., Pre-RMSNorm and Pre-CRMSNorm Transformers, 2023,
        https://arxiv.org/abs/2305.14858, for the equality of the two norms at mean 0;
        onnxruntime's fusion of GELU, which matches the division.

    """
    nodes = _Nodes(model)
    for node in model.graph.node:
        if node.op_type == "Erf":
            _divide_for_gelu(nodes, node)
        elif node.op_type == "Div" and opset >= LAYER_NORMALIZATION:
            _name_norm(nodes, node)
    nodes.remove_unused()


class _Nodes:
    """Nodes and constants of a graph, by the names of their tensors."""

    def __init__(self, model: Any) -> None:
        self._graph = model.graph
        self._producers = {
            name: node for node in model.graph.node for name in node.output
        }
        self._constants = {tensor.name: tensor for tensor in model.graph.initializer}
        self.shapes = tensor_shapes(model)

    def producer(self, name: str, kind: str) -> Any | None:
        """The node that computes a tensor, if it has this operator."""
        node = self._producers.get(name)
        return node if node is not None and node.op_type == kind else None

    def number(self, name: str) -> float:
        """Value of a scalar constant; NaN for any other tensor."""
        if name not in self._constants:
            return math.nan
        value = import_optional("onnx", "export").numpy_helper.to_array(
            self._constants[name]
        )
        return float(value.item()) if value.size == 1 else math.nan

    def constant(self, name: str, value: np.ndarray) -> str:
        """Adds a constant if it does not exist; returns its name."""
        if name not in self._constants:
            tensor = import_optional("onnx", "export").numpy_helper.from_array(
                value, name
            )
            self._graph.initializer.append(tensor)
            self._constants[name] = tensor
        return name

    def remove_unused(self) -> None:
        """Removes nodes and constants that nothing reads."""
        used = {value.name for value in self._graph.output}
        for node in reversed(list(self._graph.node)):  # the last to compute first
            if used.isdisjoint(node.output):
                self._graph.node.remove(node)
            else:
                used.update(node.input)
        for tensor in list(self._graph.initializer):
            if tensor.name not in used:
                self._graph.initializer.remove(tensor)


def _divide_for_gelu(nodes: _Nodes, erf: Any) -> None:
    product = nodes.producer(erf.input[0], "Mul")
    if product is None:
        return
    for x, factor in (product.input, reversed(product.input)):
        if math.isclose(nodes.number(factor), math.sqrt(0.5), rel_tol=1e-6):
            root = nodes.constant("sqrt_2", np.array(math.sqrt(2), "float32"))
            _replace(product, "Div", [x, root])
            return


def _name_norm(nodes: _Nodes, quotient: Any) -> None:
    x, divisor = quotient.input
    root = nodes.producer(divisor, "Sqrt")
    total = root and nodes.producer(root.input[0], "Add")
    mean = total and nodes.producer(total.input[0], "ReduceMean")
    square = mean and nodes.producer(mean.input[0], "Mul")
    if not total or not square or list(square.input) != [x, x]:
        return
    epsilon, shape = nodes.number(total.input[1]), nodes.shapes[x]
    dim = shape[-1]
    if math.isnan(epsilon) or not dim or nodes.shapes[divisor] != (*shape[:-1], 1):
        return
    gain = nodes.constant(f"ones_{dim}", np.ones(dim, "float32"))
    _replace(quotient, "LayerNormalization", [x, gain], axis=-1, epsilon=epsilon)


def _replace(node: Any, kind: str, inputs: list[str], **attributes: Any) -> None:
    """Replaces the operator of a node; its outputs stay."""
    make = import_optional("onnx", "export").helper.make_node
    node.CopyFrom(make(kind, inputs, node.output, name=node.name, **attributes))
