"""Shapes that a converted graph computes each time, though they are known."""

from typing import Any

import numpy as np
from keras_cait.export.onnx_nodes import OnnxNodes, drop_unused


def settle_shapes(model: Any) -> None:
    """Writes known shapes into a graph, and lets matrix products take any batch.

    TensorFlow computes the shapes of each dense layer from the batch's size, and
    flattens its tokens: `(batch, tokens, dim) -> (batch * tokens, dim)` and back. One
    unknown axis needs no computing, and ONNX multiplies tokens as they are.

    Args:
        model: A valid `onnx.ModelProto`, changed in place.

    """
    nodes = OnnxNodes(model)
    for node in nodes.of("Reshape"):
        _write_known_shape(nodes, node)
    for node in nodes.of("Reshape"):
        _multiply_unflattened(nodes, node)
    drop_unused(model.graph)


def _write_known_shape(nodes: OnnxNodes, reshape: Any) -> None:
    shape = nodes.shapes[reshape.output[0]]
    if shape.count(None) > 1:
        return
    name = "shape_" + "_".join("any" if size is None else str(size) for size in shape)
    sizes = [-1 if size is None else size for size in shape]
    reshape.input[1] = nodes.add_constant(name, np.array(sizes, "int64"))


def _multiply_unflattened(nodes: OnnxNodes, back: Any) -> None:
    """Takes out the reshapes before and behind a product with a matrix."""
    product = nodes.maker(back.input[0], "MatMul")
    if product is None or len(nodes.readers[back.input[0]]) > 1:
        return
    flat = nodes.maker(product.input[0], "Reshape")
    if flat is None or flat.op_type != "Reshape":
        return
    before, after = nodes.shapes[flat.input[0]], nodes.shapes[back.output[0]]
    rows, matrix = (nodes.shapes[name] for name in product.input)
    if (
        len(rows) == len(matrix) == 2
        and before[-1] == rows[-1]
        and before[1:-1] == after[1:-1]
    ):
        product.input[0] = flat.input[0]
        product.output[0], back.output[0] = back.output[0], product.output[0]
