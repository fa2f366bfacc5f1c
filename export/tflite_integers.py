"""Matrix products of a TFLite file, computed with 8-bit integers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from keras_cait.export.tflite_file import (
    ask_for_runtime,
    operator_name,
    schema,
    text_of,
)

LEVELS = 127  # of a weight, either side of 0
KEPT = (
    "the patch embedding (with float16 weights), LayerNorm, softmax, GELU, the "
    "products of attention and the mixing of its heads"
)
"""What is computed in float32. The error of 8-bit weights in the patch embedding grows
with the brightness of the image, and would cost more agreement than all the others."""
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
    are compared with one another. 256 levels for all images are too few for them.
    """
    (graph,) = model.subgraphs
    users: dict[int, list[str]] = {}
    for operator in graph.operators:
        for index in operator.inputs:
            name = operator_name(model.operatorCodes[operator.opcodeIndex])
            users.setdefault(int(index), []).append(name)
    return [row for row in products(model) if users.get(row.output) == ["GELU"]]


def quantise_weights(model: Any) -> int:
    """Gives all matrix products that still have float32 weights 8-bit ones.

    What linear layers multiply is quantised as it comes, for each token anew, and
    their result is float32. Weights have one scale for each output: `max |w| / 127`.
    Convolutions get float16 weights, which are made float32 again before the first run.

    Args:
        model: A `ModelT`, changed in place.

    Returns:
        How many linear layers there were.

    """
    found = products(model)
    versions = _Versions(model)
    for product in found:
        _quantise_weights(model, product)
        versions.raise_for(product.operator)
    (graph,) = model.subgraphs
    kinds = schema().TensorType
    for product in _weighted(model, "CONV_2D"):
        tensor = graph.tensors[product.weights]
        again = _like(graph, product.weights, kinds.FLOAT32)
        halves = _values(model, tensor).astype("float16")
        _replace(model, tensor, halves, kinds.FLOAT16)
        taken, _, *bias = product.operator.inputs
        product.operator.inputs = np.array([taken, again, *bias], "int32")
        graph.operators.insert(
            0, versions.operator("DEQUANTIZE", 3, product.weights, again)
        )
    return len(found)


def quantise_products(
    model: Any, chosen: list[Product], ranges: Mapping[int, tuple[float, float]]
) -> None:
    """Computes products in integers throughout, quantised by fixed ranges.

    `QUANTIZE -> FULLY_CONNECTED in int8 -> DEQUANTIZE` stands for each. Products of
    the same tensor share one `QUANTIZE`.

    Args:
        model: A `ModelT`, changed in place.
        chosen: Some of its `products`.
        ranges: Smallest and largest value of their inputs and outputs, by index.

    """
    kinds = schema().TensorType
    (graph,) = model.subgraphs
    versions = _Versions(model)
    quantised: dict[int, int] = {}
    before: dict[int, list[Any]] = {}
    after: dict[int, list[Any]] = {}
    for product in chosen:
        place = id(product.operator)
        if product.input not in quantised:
            taken = _like(graph, product.input, kinds.INT8, ranges[product.input])
            quantised[product.input] = taken
            before[place] = [versions.operator("QUANTIZE", 1, product.input, taken)]
        taken = quantised[product.input]
        made = _like(graph, product.output, kinds.INT8, ranges[product.output])
        scales = _quantise_weights(model, product)
        scales = scales * graph.tensors[taken].quantization.scale[0]
        inputs = [taken, product.weights]
        if product.bias >= 0:
            inputs.append(_quantise_bias(model, product.bias, scales))
        product.operator.inputs = np.array(inputs, "int32")
        product.operator.outputs = np.array([made], "int32")
        versions.raise_for(product.operator)
        after[place] = [versions.operator("DEQUANTIZE", 2, made, product.output)]
    graph.operators = [
        each
        for operator in graph.operators
        for each in (
            *before.get(id(operator), []),
            operator,
            *after.get(id(operator), []),
        )
    ]


def _quantise_weights(model: Any, product: Product) -> np.ndarray:
    """Makes the weights of a product int8; gives the scale of each output."""
    tensor = model.subgraphs[0].tensors[product.weights]
    if tensor.type == schema().TensorType.INT8:  # another product has the same ones
        return tensor.quantization.scale
    weights = _values(model, tensor)
    largest = np.abs(weights).reshape(len(weights), -1).max(axis=1)
    scales = np.maximum(largest, 1e-12).astype("float32") / LEVELS
    levels = np.round(weights / scales.reshape(-1, *[1] * (weights.ndim - 1)))
    _replace(model, tensor, levels.astype("int8"), schema().TensorType.INT8, scales)
    return scales


def _quantise_bias(model: Any, index: int, scales: np.ndarray) -> int:
    """A bias in steps of the products; the float32 one may have other users."""
    (graph,) = model.subgraphs
    values = _values(model, graph.tensors[index])
    levels = np.clip(np.round(values / scales), -(2**31), 2**31 - 1).astype("int32")
    made = _like(graph, index, schema().TensorType.INT32)
    _replace(
        model, graph.tensors[made], levels, schema().TensorType.INT32, scales.copy()
    )
    return made


def _values(model: Any, tensor: Any) -> np.ndarray:
    data = np.asarray(model.buffers[tensor.buffer].data, "uint8")
    return data.view("<f4").reshape(tensor.shape)


def _replace(
    model: Any,
    tensor: Any,
    levels: np.ndarray,
    kind: int,
    scales: np.ndarray | None = None,
) -> None:
    """Gives a constant other values, in a buffer of its own."""
    buffer = schema().BufferT()
    buffer.data = np.frombuffer(levels.tobytes(), "uint8")
    model.buffers.append(buffer)
    tensor.buffer = len(model.buffers) - 1
    tensor.type = kind
    if scales is not None:
        tensor.quantization = schema().QuantizationParametersT(
            scale=scales, zeroPoint=np.zeros(len(scales), "int64")
        )


def _like(
    graph: Any, index: int, kind: int, extent: tuple[float, float] | None = None
) -> int:
    """Adds a tensor of another type, of the shape of one that is there."""
    like = graph.tensors[index]
    tensor = schema().TensorT(
        shape=like.shape,
        type=kind,
        name=f"{text_of(like.name)}_quantised",
        hasRank=True,
    )
    if extent is not None:
        tensor.quantization = _parameters(*extent)
    graph.tensors.append(tensor)
    return len(graph.tensors) - 1


def _parameters(smallest: float, largest: float) -> Any:
    """Scale and zero point of int8 values for a range, 0 always among them."""
    smallest, largest = min(smallest, 0.0), max(largest, 0.0)
    scale = max((largest - smallest) / 255, 1e-12)
    zero_point = int(np.clip(round(-128 - smallest / scale), -128, 127))
    return schema().QuantizationParametersT(
        scale=np.array([scale], "float32"), zeroPoint=np.array([zero_point], "int64")
    )


class _Versions:
    """The kinds of operator of a file, with the versions that it asks for."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def raise_for(self, operator: Any) -> None:
        """Notes that weights have a scale for each channel."""
        code = self.model.operatorCodes[operator.opcodeIndex]
        code.version = max(code.version, _VERSION)
        ask_for_runtime(self.model, _RUNTIME)

    def operator(self, name: str, version: int, taken: int, made: int) -> Any:
        """A new operator from one tensor to another."""
        number = getattr(schema().BuiltinOperator, name)
        names = [operator_name(code) for code in self.model.operatorCodes]
        if name not in names:
            self.model.operatorCodes.append(
                schema().OperatorCodeT(
                    builtinCode=number,
                    deprecatedBuiltinCode=min(number, 127),
                    version=version,
                )
            )
            names.append(name)
        code = self.model.operatorCodes[names.index(name)]
        code.version = max(code.version, version)
        return schema().OperatorT(
            opcodeIndex=names.index(name),
            inputs=np.array([taken], "int32"),
            outputs=np.array([made], "int32"),
        )
