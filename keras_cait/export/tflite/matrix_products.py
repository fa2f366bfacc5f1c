"""Linear layers of a TFLite graph."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_cait.export.tflite.file import operator_name, schema


@dataclass(frozen=True, kw_only=True)
class MatrixProduct:
    """A FULLY_CONNECTED operator with constant weights.

    Attributes:
        operator: The `OperatorT`.
        input: Index of the input tensor.
        weights: Index of the weights, `(outputs, inputs)`.
        bias: Index of the bias, `(outputs,)`, or -1.
        output: Index of the output tensor.
    """

    operator: Any
    input: int
    weights: int
    bias: int
    output: int


def matrix_products(model: Any) -> list[MatrixProduct]:
    """The linear layers of a `ModelT` whose weights are float32 constants."""
    (graph,) = model.subgraphs
    found = []
    for operator in graph.operators:
        if operator_name(model.operatorCodes[operator.opcodeIndex]) != (
            "FULLY_CONNECTED"
        ):
            continue
        source, weights, bias = (int(i) for i in (*operator.inputs, -1)[:3])
        tensor = graph.tensors[weights]
        is_constant = model.buffers[tensor.buffer].data is not None
        if is_constant and tensor.type == schema().TensorType.FLOAT32:
            found.append(
                MatrixProduct(
                    operator=operator,
                    input=source,
                    weights=weights,
                    bias=bias,
                    output=int(operator.outputs[0]),
                )
            )
    return found


def products_before_gelu(model: Any) -> list[MatrixProduct]:
    """The first layer of each feed-forward, which fixed ranges harm the least.

    The second layers and the projections of attention add to the token stream, which
    passes through all blocks and has a few large values among many small ones.
    Queries, keys and values come out of one product and would share one range. Logits
    are compared with one another. 256 levels for all images are too few for them:
    fixed ranges for every linear layer changed the class of 1.4 to 2.0 % of 5,000 test
    images of CIFAR-10, for all but these 1.5 to 2.0 %, for these alone 0.4 to 0.5 %.
    """
    (graph,) = model.subgraphs
    readers: dict[int, list[str]] = {}
    for operator in graph.operators:
        for index in operator.inputs:
            name = operator_name(model.operatorCodes[operator.opcodeIndex])
            readers.setdefault(int(index), []).append(name)
    return [
        product
        for product in matrix_products(model)
        if readers.get(product.output) == ["GELU"]
    ]


def constant_values(model: Any, index: int) -> np.ndarray:
    """The values of a float32 constant, by index of the tensor."""
    tensor = model.subgraphs[0].tensors[index]
    data = np.asarray(model.buffers[tensor.buffer].data, "uint8")
    return data.view("<f4").reshape(tensor.shape)
