"""Operators that ONNX or its runtimes have, where TensorFlow spells them out."""

import math
from typing import Any

import numpy as np
from keras_cait.export.onnx_nodes import OnnxNodes, drop_unused
from keras_cait.export.packages import needed

LAYER_NORMALIZATION = 17  # the opset that brought it


def name_operators(model: Any, opset: int) -> None:
    """Writes layer normalisation as one operator, and GELU as runtimes know it.

    Args:
        model: A valid `onnx.ModelProto`, changed in place.
        opset: Its version of ONNX's operators.

    """
    nodes = OnnxNodes(model)
    for node in nodes.of("Erf"):
        _divide_for_gelu(nodes, node)
    if opset >= LAYER_NORMALIZATION:
        for node in nodes.of("Reciprocal"):
            _name_layer_norm(nodes, node)
    drop_unused(model.graph)


def _divide_for_gelu(nodes: OnnxNodes, erf: Any) -> None:
    """Makes of `erf(x * sqrt(1/2))` an `erf(x / sqrt(2))`, which runtimes fuse."""
    product = nodes.maker(erf.input[0], "Mul")
    inputs = None if product is None else nodes.with_constant(product)
    if inputs is None:
        return
    x, factor = inputs
    value = nodes.constant(factor)
    if value is not None and value.size == 1 and np.allclose(value, math.sqrt(0.5)):
        root = nodes.add_constant("sqrt_2", np.array(math.sqrt(2), value.dtype))
        quotient = needed("onnx").helper.make_node("Div", [x, root], product.output)
        product.CopyFrom(quotient)


def _name_layer_norm(nodes: OnnxNodes, inverse: Any) -> None:
    """Finds what `1 / sqrt(variance + epsilon)` is part of, and names it."""
    found = _statistics(nodes, inverse)
    if found is None:
        return
    x, mean, epsilon = found
    scaled, gain = inverse.output[0], None
    product = nodes.only_reader(scaled, "Mul")
    inputs = product and nodes.with_constant(product)
    if inputs:
        scaled, gain = product.output[0], inputs[1]
    ending = _of_difference(nodes, x, mean, scaled) or _of_both(nodes, x, mean, scaled)
    if ending is None:
        return
    last, bias = ending
    vectors = [_vector(nodes, gain, nodes.shapes[x][-1])]
    if bias is not None:
        vectors.append(_vector(nodes, bias, nodes.shapes[x][-1]))
    if None not in vectors:
        normalisation = needed("onnx").helper.make_node(
            "LayerNormalization", [x, *vectors], last.output, axis=-1, epsilon=epsilon
        )
        last.CopyFrom(normalisation)


def _vector(nodes: OnnxNodes, name: str | None, dim: int | None) -> str | None:
    """The tensor as `(dim,)`, ones if there is none; None if it does not fit."""
    if name is None:
        return nodes.add_constant(f"ones_{dim}", np.ones(dim, "float32"))
    value = nodes.constant(name)
    if value is None or value.size != dim:
        return None
    return nodes.add_constant(f"{name}_vector", value.ravel())


def _statistics(nodes: OnnxNodes, inverse: Any) -> tuple[str, str, float] | None:
    """What is normalised, its mean, and epsilon.

    `inverse = 1 / sqrt(mean((x - mean(x))^2) + epsilon)` over the last axis.
    """
    root = nodes.maker(inverse.input[0], "Sqrt")
    total = root and nodes.maker(root.input[0], "Add")
    inputs = total and nodes.with_constant(total)
    if not inputs:
        return None
    variance = nodes.maker(inputs[0], "ReduceMean")
    epsilon = nodes.constant(inputs[1])
    square = variance and nodes.maker(variance.input[0], "Mul")
    if epsilon is None or epsilon.size != 1 or not square:
        return None
    centred = nodes.maker(square.input[0], "Sub")
    if not centred or square.input[0] != square.input[1]:
        return None
    x, mean = centred.input
    average = nodes.maker(mean, "ReduceMean")
    kept = (*nodes.shapes[x][:-1], 1)
    shapes = [nodes.shapes[mean], nodes.shapes[inverse.output[0]]]
    if not average or average.input[0] != x or shapes != [kept, kept]:
        return None
    return x, mean, float(epsilon.item())


Ending = tuple[Any, str | None]
"""The node that ends a normalisation, and its bias."""


def _of_difference(nodes: OnnxNodes, x: str, mean: str, scaled: str) -> Ending | None:
    """Finds `(x - mean) * scaled`."""
    product = nodes.only_reader(scaled, "Mul")
    for name in product.input if product else ():
        difference = nodes.maker(name, "Sub")
        if difference and list(difference.input) == [x, mean]:
            return product, None
    return None


def _of_both(nodes: OnnxNodes, x: str, mean: str, scaled: str) -> Ending | None:
    """Finds `x * scaled + (-mean * scaled + bias)`, with or without bias."""
    products = [node for node in nodes.readers[scaled] if node.op_type == "Mul"]
    of_x = [node for node in products if x in node.input]
    of_mean = [
        node
        for node in products
        for negative in (nodes.maker(name, "Neg") for name in node.input)
        if negative and negative.input[0] == mean
    ]
    if len(of_x) != 1 or len(of_mean) != 1:
        return None
    last = nodes.only_reader(of_x[0].output[0], "Add")
    offset, bias = of_mean[0].output[0], None
    shift = nodes.only_reader(offset, "Add")
    inputs = shift and nodes.with_constant(shift)
    if inputs:
        offset, bias = shift.output[0], inputs[1]
    return (last, bias) if last and offset in last.input else None
