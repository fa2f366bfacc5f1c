"""Checks of operators and shapes, so that phones can run a TFLite file."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from keras_cait.export.tflite.file import (
    Operator,
    names_of,
    operators_of,
    runtime_version,
    schema,
    text_of,
    unpack,
)

LARGEST_RANK = 4

UNSUITABLE = {
    "BROADCAST_TO": "GPU delegates refuse it",
    "SHAPE": "it reads a size that is only known at run time",
    "PACK": "it makes a shape at run time, or a tensor with another axis",
    "VAR_HANDLE": "the weights were left out of the file",
    "READ_VARIABLE": "the weights were left out of the file",
    "ASSIGN_VARIABLE": "the weights were left out of the file",
    "CALL_ONCE": "the weights were left out of the file",
    "IF": "these models have no branches",
    "WHILE": "these models have no loops",
}
"""Built-in operators that are refused, and the reasons."""


@dataclass(frozen=True, kw_only=True)
class TfliteGraph:
    """Contents of a valid file.

    Attributes:
        operators: Number of operators of each kind.
        largest_rank: Largest rank of a tensor.
        types: Number of tensors of each type, such as "FLOAT32".
        runtime: The oldest version of TensorFlow Lite that has all operators.
    """

    operators: Mapping[str, int]
    largest_rank: int
    types: Mapping[str, int]
    runtime: str


def check_tflite(
    content: bytes, gelus: int | None = None, outputs: int = 1
) -> TfliteGraph:
    """Checks that a file has one input, built-in operators, and rank 4 at most.

    Args:
        content: Content of the file.
        gelus: Number of GELU activations of the model; each must be one exact GELU
            operator. None if unknown.
        outputs: Number of outputs of the model.

    Raises:
        ValueError: If it is not a TFLite file, or not suitable. The message names the
            operator and the tensor.

    Example:
        >>> import keras
        >>> from keras_cait.export.tflite.conversion import convert
        >>> model = keras.Sequential(
        ...     [keras.Input((4,)), keras.layers.Dense(2, activation="softmax")]
        ... )
        >>> graph = check_tflite(convert(model), gelus=0)
        >>> graph.operators, graph.largest_rank
        ({'FULLY_CONNECTED': 1, 'SOFTMAX': 1}, 2)

    """
    model = unpack(content)
    if len(model.subgraphs) != 1:
        raise ValueError(
            f"The file must have one graph. Received: {len(model.subgraphs)} graphs."
        )
    (graph,) = model.subgraphs
    operators = list(operators_of(model))
    for operator in operators:
        _check_operator(operator)
    for tensor in graph.tensors:
        _check_shape(tensor, operators)
    counts = Counter(operator.name for operator in operators)
    if gelus is not None and counts["GELU"] != gelus:
        raise ValueError(
            f"Each of the model's {gelus} activations must be one GELU operator. "
            f"Received: {counts['GELU']} GELU operators. Write it as 0.5 * x * (1 + "
            "keras.ops.erf(x * sqrt(0.5))), which the converter recognizes."
        )
    if (len(graph.inputs), len(graph.outputs)) != (1, outputs):
        raise ValueError(
            f"The file must have one input and the outputs of the model, {outputs}. "
            f"Received: {len(graph.inputs)} inputs and {len(graph.outputs)} outputs."
        )
    types = names_of(schema().TensorType)
    return TfliteGraph(
        operators=dict(counts),
        largest_rank=max(len(_shape(tensor)) for tensor in graph.tensors),
        types=dict(Counter(types[tensor.type] for tensor in graph.tensors)),
        runtime=runtime_version(model),
    )


def _check_operator(operator: Operator) -> None:
    where = f"{operator.name}, which computes {', '.join(operator.outputs)}"
    if operator.name.startswith("CUSTOM"):
        raise ValueError(
            f"Only built-in TFLite operators run everywhere. Received: {where}."
        )
    if operator.name in UNSUITABLE:
        raise ValueError(
            f"The file must not contain {operator.name}: {UNSUITABLE[operator.name]}. "
            f"Received: {where}."
        )
    if operator.name == "GELU" and operator.options and operator.options.approximate:
        raise ValueError(
            f"GELU must be exact. Received: {where} with the tanh approximation."
        )


def _check_shape(tensor: Any, operators: list[Operator]) -> None:
    shape = _shape(tensor)
    signature = () if tensor.shapeSignature is None else tensor.shapeSignature
    if len(shape) > LARGEST_RANK:
        raise ValueError(
            f"No tensor may have more than {LARGEST_RANK} axes, the limit of GPU "
            f"delegates. Received: {_place(tensor, operators)}."
        )
    if any(side < 0 for side in (*shape, *signature)):
        raise ValueError(
            f"Every size must be known. Received: {_place(tensor, operators)}."
        )


def _place(tensor: Any, operators: list[Operator]) -> str:
    """Name, shape and operators of a tensor, for a message."""
    name = text_of(tensor.name)
    users = [row.name for row in operators if name in (*row.inputs, *row.outputs)]
    return f"{name}, {_shape(tensor)}, of {', '.join(users[:3]) or 'no operator'}"


def _shape(tensor: Any) -> tuple[int, ...]:
    return () if tensor.shape is None else tuple(int(side) for side in tensor.shape)
