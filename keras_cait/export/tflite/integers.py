"""Matrix products of a TFLite file, computed with 8-bit integers.

Why with code of its own: TensorFlow's converter and ai-edge-quantizer (0.x, whatever
it was given) cost these models more. Part of CIFAR-10's test images whose likeliest
class stays the float32 model's, for small models that were trained on it:

- this file, "int8": 99.3 to 99.7 % (tests/full_size/tflite_agreement.py measures it)
- ai-edge-quantizer, several mixtures of fixed and dynamic ranges: 90.8 to 99.0 %
- TensorFlow's converter, linear layers alone in integers: 96.9 %
- TensorFlow's converter, all in integers: 94.4 %
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_cait.export.tflite.editing import (
    OperatorKinds,
    add_like,
    replace_constant,
    values_of,
)
from keras_cait.export.tflite.file import ask_for_runtime, operator_name, schema

LEVELS = 127  # of a weight, either side of 0
KEPT = (
    "the patch embedding (with float16 weights), LayerNorm, softmax, GELU, the "
    "products of attention and the mixing of its heads"
)
"""What is computed in float32. 8-bit weights of the patch embedding alone changed the
class of 0.8 to 1.0 % of 5,000 of these images, those of all linear layers together that
of 0.3 to 0.5 %."""
# Of FULLY_CONNECTED with a scale for each channel of the weights: its version, and
# the version of TensorFlow Lite that has it.
_VERSION = 12
_RUNTIME = "2.17.0"


@dataclass(frozen=True, kw_only=True)
class Product:
    """A matrix product with constant weights.

    Attributes:
        operator: The `OperatorT`, a FULLY_CONNECTED or CONV_2D.
        input: Index of the tensor that it multiplies.
        weights: Index of the weights, `(outputs, ...)`.
        bias: Index of the bias, `(outputs,)`, or -1.
        output: Index of the result.
    """

    operator: Any
    input: int
    weights: int
    bias: int
    output: int


def products(model: Any) -> list[Product]:
    """The linear layers of a `ModelT` whose weights are constants in float32."""
    return _weighted(model, "FULLY_CONNECTED")


def _weighted(model: Any, name: str) -> list[Product]:
    (graph,) = model.subgraphs
    found = []
    for operator in graph.operators:
        if operator_name(model.operatorCodes[operator.opcodeIndex]) != name:
            continue
        taken, weights, bias = (int(i) for i in (*operator.inputs, -1)[:3])
        tensor = graph.tensors[weights]
        constant = model.buffers[tensor.buffer].data is not None
        if constant and tensor.type == schema().TensorType.FLOAT32:
            found.append(
                Product(
                    operator=operator,
                    input=taken,
                    weights=weights,
                    bias=bias,
                    output=int(operator.outputs[0]),
                )
            )
    return found


def products_into_gelu(model: Any) -> list[Product]:
    """The first layer of each feed-forward: what fixed ranges do the least harm to.

    The second layers and the projections of attention add to the stream of tokens,
    which goes through all blocks and has a few large values among many small ones;
    queries, keys and values come out of one product and would share one range; logits
    are compared with one another. 256 levels for all images are too few for them:
    fixed ranges for every linear layer changed the class of 1.4 to 2.0 % of 5,000 test
    images of CIFAR-10, for all but these 1.5 to 2.0 %, for these alone 0.4 to 0.5 %.
    """
    (graph,) = model.subgraphs
    users: dict[int, list[str]] = {}
    for operator in graph.operators:
        for index in operator.inputs:
            name = operator_name(model.operatorCodes[operator.opcodeIndex])
            users.setdefault(int(index), []).append(name)
    return [row for row in products(model) if users.get(row.output) == ["GELU"]]


def quantize_weights(model: Any) -> None:
    """Gives all matrix products that still have float32 weights 8-bit ones.

    What linear layers multiply is quantized as it comes, for each token anew, and
    their result is float32. Weights have one scale for each output: `max |w| / 127`.
    Convolutions get float16 weights, which are made float32 again before the first run.

    Args:
        model: A `ModelT`, changed in place.

    Example:
        >>> import keras
        >>> from keras_cait.export.tflite.conversion import convert
        >>> from keras_cait.export.tflite.file import pack, unpack
        >>> layers = [keras.Input((256,)), keras.layers.Dense(256)]
        >>> content = convert(keras.Sequential(layers))
        >>> model = unpack(content)
        >>> quantize_weights(model)
        >>> len(pack(model)) < 0.3 * len(content)
        True

    """
    (graph,) = model.subgraphs
    types, kinds = schema().TensorType, OperatorKinds(model)
    for product in products(model):
        _quantize_weights(model, product)
        _ask_for_scales(model, kinds, product)
    halved: dict[int, int] = {}  # convolutions may share weights
    for product in _weighted(model, "CONV_2D"):
        if product.weights not in halved:
            tensor = graph.tensors[product.weights]
            again = add_like(graph, product.weights, types.FLOAT32)
            halves = values_of(model, tensor).astype("float16")
            replace_constant(model, tensor, halves, types.FLOAT16)
            widened = kinds.make("DEQUANTIZE", 3, product.weights, again)
            graph.operators.insert(0, widened)
            halved[product.weights] = again
        taken, _, *bias = product.operator.inputs
        inputs = [taken, halved[product.weights], *bias]
        product.operator.inputs = np.array(inputs, "int32")


def quantize_products(
    model: Any, chosen: list[Product], ranges: Mapping[int, tuple[float, float]]
) -> None:
    """Computes products in integers throughout, quantized by fixed ranges.

    `QUANTIZE -> FULLY_CONNECTED in int8 -> DEQUANTIZE` stands for each. Products of
    the same tensor share one `QUANTIZE`.

    Args:
        model: A `ModelT`, changed in place.
        chosen: Some of its `products`.
        ranges: Smallest and largest value of their inputs and outputs, by index.

    Example:
        >>> import keras
        >>> from keras_cait.export.tflite.conversion import convert
        >>> from keras_cait.export.tflite.file import operators_of, unpack
        >>> layers = [keras.Input((4,)), keras.layers.Dense(2)]
        >>> model = unpack(convert(keras.Sequential(layers)))
        >>> (product,) = products(model)
        >>> ranges = {product.input: (0.0, 1.0), product.output: (-2.0, 2.0)}
        >>> quantize_products(model, [product], ranges)
        >>> [operator.name for operator in operators_of(model)]
        ['QUANTIZE', 'FULLY_CONNECTED', 'DEQUANTIZE']

    """
    types, kinds = schema().TensorType, OperatorKinds(model)
    (graph,) = model.subgraphs
    quantized: dict[int, int] = {}
    before: dict[int, list[Any]] = {}
    after: dict[int, list[Any]] = {}
    for product in chosen:
        place = id(product.operator)
        if product.input not in quantized:
            taken = add_like(graph, product.input, types.INT8, ranges[product.input])
            quantized[product.input] = taken
            before[place] = [kinds.make("QUANTIZE", 1, product.input, taken)]
        taken = quantized[product.input]
        made = add_like(graph, product.output, types.INT8, ranges[product.output])
        scales = _quantize_weights(model, product)
        scales = scales * graph.tensors[taken].quantization.scale[0]
        inputs = [taken, product.weights]
        if product.bias >= 0:
            inputs.append(_quantize_bias(model, product.bias, scales))
        product.operator.inputs = np.array(inputs, "int32")
        product.operator.outputs = np.array([made], "int32")
        _ask_for_scales(model, kinds, product)
        after[place] = [kinds.make("DEQUANTIZE", 2, made, product.output)]
    graph.operators = [
        each
        for operator in graph.operators
        for each in (
            *before.get(id(operator), []),
            operator,
            *after.get(id(operator), []),
        )
    ]


def rounded(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights `(outputs, ...)` as whole levels, and the scale of each output."""
    largest = np.abs(weights).reshape(len(weights), -1).max(axis=1)
    scales = np.maximum(largest, 1e-12).astype("float32") / LEVELS
    return np.round(weights / scales.reshape(-1, *[1] * (weights.ndim - 1))), scales


def _quantize_weights(model: Any, product: Product) -> np.ndarray:
    """Makes the weights of a product int8; gives the scale of each output."""
    tensor = model.subgraphs[0].tensors[product.weights]
    if tensor.type == schema().TensorType.INT8:  # another product has the same ones
        return tensor.quantization.scale
    levels, scales = rounded(values_of(model, tensor))
    replace_constant(
        model, tensor, levels.astype("int8"), schema().TensorType.INT8, scales
    )
    return scales


def _ask_for_scales(model: Any, kinds: OperatorKinds, product: Product) -> None:
    """Notes that its weights have a scale for each output."""
    kinds.raise_to(_VERSION, product.operator)
    ask_for_runtime(model, _RUNTIME)


def _quantize_bias(model: Any, index: int, scales: np.ndarray) -> int:
    """A bias in steps of the products; the float32 one may have other users."""
    (graph,) = model.subgraphs
    values = values_of(model, graph.tensors[index])
    levels = np.clip(np.round(values / scales), -(2**31), 2**31 - 1).astype("int32")
    made = add_like(graph, index, schema().TensorType.INT32)
    replace_constant(
        model, graph.tensors[made], levels, schema().TensorType.INT32, scales.copy()
    )
    return made
