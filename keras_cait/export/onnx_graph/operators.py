"""Operators that ONNX or its runtimes have, where TensorFlow spells them out."""

import math
from typing import Any

import numpy as np

from keras_cait.export.onnx_graph.file import tensor_shapes
from keras_cait.optional_packages import import_optional

LAYER_NORMALIZATION = 17  # the opset that brought it


def name_operators(model: Any, opset: int) -> None:
    """Writes the norms of a folded model as one operator, and GELU as it is fused.

    - `x / sqrt(mean(x**2) + epsilon)` is layer normalization where the mean of `x` is
      0, which `fold` sees to by centring the weights of all that adds to the tokens.
      Every runtime has layer normalization, and few have a root mean square.
    - `erf(x * sqrt(1/2))` becomes `erf(x / sqrt(2))`, which is what runtimes look for
      when they make GELU one operator.

    Args:
        model: A valid `onnx.ModelProto`, changed in place.
        opset: Its version of ONNX's operators.

    Reference:
        Jiang et al., Pre-RMSNorm and Pre-CRMSNorm Transformers, 2023,
        https://arxiv.org/abs/2305.14858, for the two norms being one where the mean is
        0; onnxruntime's fusion of GELU, which looks for the division.

    """
    nodes = _Nodes(model)
    for node in model.graph.node:
        if node.op_type == "Erf":
            _divide_for_gelu(nodes, node)
        elif node.op_type == "Div" and opset >= LAYER_NORMALIZATION:
            _name_norm(nodes, node)
    nodes.drop_unused()


class _Nodes:
    """A graph by the names of its tensors."""

    def __init__(self, model: Any) -> None:
        self._graph = model.graph
        self._makers = {name: node for node in model.graph.node for name in node.output}
        self._constants = {tensor.name: tensor for tensor in model.graph.initializer}
        self.shapes = tensor_shapes(model)

    def maker(self, name: str, kind: str) -> Any | None:
        """The node that makes a tensor, if it is of that operator."""
        node = self._makers.get(name)
        return node if node is not None and node.op_type == kind else None

    def number(self, name: str) -> float:
        """The value of a constant of one number; NaN for any other tensor."""
        if name not in self._constants:
            return math.nan
        value = import_optional("onnx", "export").numpy_helper.to_array(
            self._constants[name]
        )
        return float(value.item()) if value.size == 1 else math.nan

    def constant(self, name: str, value: np.ndarray) -> str:
        """Makes a constant, unless it is there, and returns its name."""
        if name not in self._constants:
            tensor = import_optional("onnx", "export").numpy_helper.from_array(
                value, name
            )
            self._graph.initializer.append(tensor)
            self._constants[name] = tensor
        return name

    def drop_unused(self) -> None:
        """Takes out nodes and constants that nothing reads."""
        wanted = {value.name for value in self._graph.output}
        for node in reversed(list(self._graph.node)):  # the last to compute first
            if wanted.isdisjoint(node.output):
                self._graph.node.remove(node)
            else:
                wanted.update(node.input)
        for tensor in list(self._graph.initializer):
            if tensor.name not in wanted:
                self._graph.initializer.remove(tensor)


def _divide_for_gelu(nodes: _Nodes, erf: Any) -> None:
    product = nodes.maker(erf.input[0], "Mul")
    if product is None:
        return
    for x, factor in (product.input, reversed(product.input)):
        if math.isclose(nodes.number(factor), math.sqrt(0.5), rel_tol=1e-6):
            root = nodes.constant("sqrt_2", np.array(math.sqrt(2), "float32"))
            _replace(product, "Div", [x, root])
            return


def _name_norm(nodes: _Nodes, quotient: Any) -> None:
    x, divisor = quotient.input
    root = nodes.maker(divisor, "Sqrt")
    total = root and nodes.maker(root.input[0], "Add")
    mean = total and nodes.maker(total.input[0], "ReduceMean")
    square = mean and nodes.maker(mean.input[0], "Mul")
    if not total or not square or list(square.input) != [x, x]:
        return
    epsilon, shape = nodes.number(total.input[1]), nodes.shapes[x]
    dim = shape[-1]
    if math.isnan(epsilon) or not dim or nodes.shapes[divisor] != (*shape[:-1], 1):
        return
    gain = nodes.constant(f"ones_{dim}", np.ones(dim, "float32"))
    _replace(quotient, "LayerNormalization", [x, gain], axis=-1, epsilon=epsilon)


def _replace(node: Any, kind: str, inputs: list[str], **attributes: Any) -> None:
    """Makes another operator of a node, with the same outputs."""
    make = import_optional("onnx", "export").helper.make_node
    node.CopyFrom(make(kind, inputs, node.output, name=node.name, **attributes))
