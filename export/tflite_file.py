"""What a TFLite file is made of, and whether phones can run it."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import flatbuffers
import numpy as np
from keras_cait.export.packages import needed

IDENTIFIER = b"TFL3"
LARGEST_RANK = 4
ALIGNMENT = 16  # bytes, that runtimes may expect of weights
LARGEST_FILE = 2**31 - 2**20  # bytes: a flatbuffer ends at 2 GiB

UNSUITABLE = {
    "BROADCAST_TO": "GPU delegates refuse it",
    "SHAPE": "it stands for a size that is only known at run time",
    "PACK": "it makes a shape at run time, or a tensor of one axis more",
    "VAR_HANDLE": "the weights were left out of the file",
    "READ_VARIABLE": "the weights were left out of the file",
    "ASSIGN_VARIABLE": "the weights were left out of the file",
    "CALL_ONCE": "the weights were left out of the file",
    "IF": "there is nothing to decide in these models",
    "WHILE": "there is nothing to repeat in these models",
}
"""Built-in operators that no file may have, and why."""


@dataclass(frozen=True, kw_only=True)
class Operator:
    """One operator of a file.

    Attributes:
        name: As TFLite's schema has it, such as "FULLY_CONNECTED"; of one that is not
            built in "CUSTOM", a space and its own name.
        inputs: Names of the tensors it takes.
        outputs: Names of those it makes.
        options: Of the operator, as the schema has them, or None.
    """

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    options: Any


@dataclass(frozen=True, kw_only=True)
class TfliteGraph:
    """What a suitable file holds.

    Attributes:
        operators: How many of each kind.
        largest_rank: Of its tensors.
        types: How many tensors of each type, such as "FLOAT32".
        runtime: The first version of TensorFlow Lite that has all operators.
        input_shape: Of the one input, `(1, height, width, channels)`.
        output_shape: Of the one output, `(1, classes)`.
    """

    operators: Mapping[str, int]
    largest_rank: int
    types: Mapping[str, int]
    runtime: str
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]


def schema() -> Any:
    """TFLite's schema as Python: the module that ai-edge-litert comes with."""
    return needed("ai_edge_litert.schema_py_generated")


def unpack(content: bytes) -> Any:
    """The `ModelT` of a file's content, of which all can be changed.

    Raises:
        ValueError: If it is no TFLite file.

    """
    if content[4:8] != IDENTIFIER:
        raise ValueError(
            "Expected a TFLite file, which has TFL3 at its fifth byte. Received: "
            f"{len(content)} bytes that begin with {content[:8]!r}"
        )
    return schema().ModelT.InitFromObj(schema().Model.GetRootAs(content, 0))


def pack(model: Any) -> bytes:
    """The content of a file, weights at multiples of 16 bytes.

    Weights that nothing uses are left out of it.

    Raises:
        ValueError: If it would be too large for one.

    """
    used = _used_buffers(model)
    kept = [
        row.data if index in used else None for index, row in enumerate(model.buffers)
    ]
    weights = sum(0 if data is None else len(data) for data in kept)
    if weights > LARGEST_FILE:
        raise ValueError(
            "A TFLite file holds less than 2 GiB. Received: a model with "
            f"{weights / 2**30:.1f} GiB of weights. Export it in float16 or with 8-bit "
            "weights, or as a SavedModel."
        )
    buffers = model.buffers
    model.buffers = [_Aligned(data) for data in kept]
    try:
        builder = flatbuffers.Builder(weights + 2**16)
        builder.Finish(model.Pack(builder), IDENTIFIER)
    finally:
        model.buffers = buffers
    return bytes(builder.Output())


def _used_buffers(model: Any) -> set[int]:
    used = {row.buffer for row in model.metadata or ()}
    for graph in model.subgraphs:
        ends = [*graph.inputs, *graph.outputs]
        for operator in graph.operators:
            ends += [*operator.inputs, *operator.outputs]
        # An index of -1 stands for an input that is left out.
        used |= {graph.tensors[index].buffer for index in ends if index >= 0}
    return used


class _Aligned:
    """A buffer that is written where the schema says, which its own writer forgets."""

    def __init__(self, data: Any) -> None:
        self.data = None if data is None else np.asarray(data, "uint8").tobytes()

    def Pack(self, builder: Any) -> int:  # noqa: N802 (the writer calls it so)
        tflite = schema()
        data = None
        if self.data is not None:
            builder.StartVector(1, len(self.data), ALIGNMENT)
            builder.head -= len(self.data)
            builder.Bytes[builder.head : builder.head + len(self.data)] = self.data
            data = builder.EndVector()
        tflite.BufferStart(builder)
        if data is not None:
            tflite.BufferAddData(builder, data)
        return tflite.BufferEnd(builder)


def runtime_version(model: Any) -> str:
    """The first version of TensorFlow Lite that runs a `ModelT`, such as "2.9.0"."""
    buffer = _runtime_buffer(model)
    return "not stated" if buffer is None else bytes(buffer.data).rstrip(b"\0").decode()


def ask_for_runtime(model: Any, version: str) -> None:
    """Notes in a `ModelT` that it takes this version at least."""
    buffer = _runtime_buffer(model)
    if buffer is not None and _numbers(runtime_version(model)) < _numbers(version):
        data = version.encode().ljust(len(buffer.data), b"\0")
        buffer.data = np.frombuffer(data, "uint8")


def _runtime_buffer(model: Any) -> Any:
    for row in model.metadata or ():
        if text_of(row.name) == "min_runtime_version":
            return model.buffers[row.buffer]
    return None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split(".") if number.isdecimal())


def operators_of(model: Any) -> Iterator[Operator]:
    """The operators of a `ModelT`, in the order in which they run."""
    for graph in model.subgraphs:
        names = [text_of(tensor.name) for tensor in graph.tensors]
        for operator in graph.operators:
            yield Operator(
                name=operator_name(model.operatorCodes[operator.opcodeIndex]),
                # An index of -1 stands for an input that is left out.
                inputs=tuple(names[i] for i in operator.inputs if i >= 0),
                outputs=tuple(names[i] for i in operator.outputs),
                options=operator.builtinOptions,
            )


def operator_name(code: Any) -> str:
    """The name of an `OperatorCodeT`, as `Operator` has it."""
    # The older of the two fields ends at 127.
    number = max(code.builtinCode, code.deprecatedBuiltinCode)
    if number == schema().BuiltinOperator.CUSTOM:
        return f"CUSTOM {text_of(code.customCode)}"
    return _names(schema().BuiltinOperator)[number]


def check_tflite(content: bytes, gelus: int | None = None) -> TfliteGraph:
    """Checks that a file is for one image, of built-in operators, and of rank 4.

    Args:
        content: Of the file.
        gelus: How many activations the model has: each must be one operator, the
            exact function of them. None where that is not known.

    Returns:
        What is in it.

    Raises:
        ValueError: If it is no TFLite file, or not suitable; the operator and the
            tensor are named.

    """
    model = unpack(content)
    if len(model.subgraphs) != 1:
        raise ValueError(
            f"The file must hold one graph. Received: {len(model.subgraphs)} of them."
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
            f"Received: {counts['GELU']} of them. Write it as 0.5 * x * (1 + "
            "keras.ops.erf(x * sqrt(0.5))), which the converter knows."
        )
    types = _names(schema().TensorType)
    ends = []
    for indices in (graph.inputs, graph.outputs):
        if len(indices) != 1:
            raise ValueError(
                "The file must take one tensor and give one. Received: "
                f"{len(graph.inputs)} and {len(graph.outputs)}."
            )
        ends.append(_shape(graph.tensors[indices[0]]))
    return TfliteGraph(
        operators=dict(counts),
        largest_rank=max(len(_shape(tensor)) for tensor in graph.tensors),
        types=dict(Counter(types[tensor.type] for tensor in graph.tensors)),
        runtime=runtime_version(model),
        input_shape=ends[0],
        output_shape=ends[1],
    )


def _check_operator(operator: Operator) -> None:
    where = f"{operator.name}, which makes {', '.join(operator.outputs)}"
    if operator.name.startswith("CUSTOM"):
        raise ValueError(
            "Only operators that are built into TFLite run everywhere. Received: "
            f"{where}."
        )
    if operator.name in UNSUITABLE:
        raise ValueError(
            f"The file must do without {operator.name}: {UNSUITABLE[operator.name]}. "
            f"Received: {where}."
        )
    if operator.name == "GELU" and operator.options and operator.options.approximate:
        raise ValueError(f"GELU must be exact. Received: {where} by way of tanh.")


def _check_shape(tensor: Any, operators: list[Operator]) -> None:
    name, shape = text_of(tensor.name), _shape(tensor)
    users = [o.name for o in operators if name in (*o.inputs, *o.outputs)]
    where = f"{name}, {shape}, of {', '.join(users[:3]) or 'no operator'}"
    if len(shape) > LARGEST_RANK:
        raise ValueError(
            f"No tensor may have more than {LARGEST_RANK} axes: GPU delegates take no "
            f"more. Received: {where}."
        )
    signature = () if tensor.shapeSignature is None else tensor.shapeSignature
    if any(side < 0 for side in (*shape, *signature)):
        raise ValueError(f"Every size must be known. Received: {where}.")


def _shape(tensor: Any) -> tuple[int, ...]:
    return () if tensor.shape is None else tuple(int(side) for side in tensor.shape)


def text_of(name: bytes | str | None) -> str:
    """A name of the schema, which reads bytes and writes either."""
    return name.decode() if isinstance(name, bytes) else name or ""


def _names(enumeration: type) -> dict[int, str]:
    return {
        value: name for name, value in vars(enumeration).items() if name[0].isupper()
    }
