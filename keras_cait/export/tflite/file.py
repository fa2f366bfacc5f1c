"""Reading and writing of TFLite files."""

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import flatbuffers
import numpy as np

from keras_cait.optional_packages import import_optional

IDENTIFIER = b"TFL3"
ALIGNMENT = 16  # bytes; runtimes may require it of weights
LARGEST_FILE = 2**31 - 2**20  # bytes: a flatbuffer ends at 2 GiB


@dataclass(frozen=True, kw_only=True)
class Operator:
    """One operator of a file.

    Attributes:
        name: Name in TFLite's schema, such as "FULLY_CONNECTED"; for custom operators
            "CUSTOM", a space and their own name.
        inputs: Names of the input tensors.
        outputs: Names of the output tensors.
        options: The schema's options of the operator, or None.
    """

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    options: Any


def schema() -> Any:
    """TFLite's schema as a Python module, which ai-edge-litert contains."""
    return import_optional("ai_edge_litert.schema_py_generated", "export")


def unpack(content: bytes) -> Any:
    """The `ModelT` of a file's content, which can be changed.

    Raises:
        ValueError: If it is not a TFLite file.

    """
    if content[4:8] != IDENTIFIER:
        raise ValueError(
            "Expected a TFLite file, with TFL3 at its fifth byte. Received: "
            f"{len(content)} bytes that begin with {content[:8]!r}"
        )
    model = schema().ModelT.InitFromObj(schema().Model.GetRootAs(content, 0))
    for buffer in model.buffers:
        if buffer.offset > 1:  # its data lies behind the flatbuffer
            end = buffer.offset + buffer.size
            buffer.data = np.frombuffer(content[buffer.offset : end], "uint8")
            buffer.offset = buffer.size = 0
    return model


def pack(model: Any) -> bytes:
    """The content of a file, weights at multiples of 16 bytes.

    Unused weights are left out.

    Raises:
        ValueError: If the file would be too large.

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
        # An index of -1 means an omitted input.
        used |= {graph.tensors[index].buffer for index in ends if index >= 0}
    return used


class _Aligned:
    """A buffer with the alignment of the schema, which its own writer ignores."""

    def __init__(self, data: Any) -> None:
        self.data = None if data is None else np.asarray(data, "uint8").tobytes()

    def Pack(self, builder: Any) -> int:  # noqa: N802 (a name of the writer)
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
    """The oldest version of TensorFlow Lite that runs a `ModelT`, such as "2.9.0"."""
    buffer = _runtime_buffer(model)
    return "not stated" if buffer is None else bytes(buffer.data).rstrip(b"\0").decode()


def require_runtime(model: Any, version: str) -> None:
    """Raises the required version of a `ModelT` to this one at least."""
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


def order_outputs(model: Any, names: Sequence[str]) -> None:
    """Puts the outputs of a `ModelT` in this order, by their names in its signature."""
    ((graph,), (signature,)) = model.subgraphs, model.signatureDefs
    indices = {text_of(row.name): row.tensorIndex for row in signature.outputs}
    graph.outputs = np.array([indices[name] for name in names], "int32")


def operators_of(model: Any) -> Iterator[Operator]:
    """The operators of a `ModelT`, in execution order."""
    for graph in model.subgraphs:
        names = [text_of(tensor.name) for tensor in graph.tensors]
        for operator in graph.operators:
            yield Operator(
                name=operator_name(model.operatorCodes[operator.opcodeIndex]),
                # An index of -1 means an omitted input.
                inputs=tuple(names[i] for i in operator.inputs if i >= 0),
                outputs=tuple(names[i] for i in operator.outputs),
                options=operator.builtinOptions,
            )


def operator_name(code: Any) -> str:
    """The name of an `OperatorCodeT`; see `Operator`."""
    # The older of the two fields ends at 127.
    number = max(code.builtinCode, code.deprecatedBuiltinCode)
    if number == schema().BuiltinOperator.CUSTOM:
        return f"CUSTOM {text_of(code.customCode)}"
    return names_of(schema().BuiltinOperator)[number]


def text_of(name: bytes | str | None) -> str:
    """A name as text; the schema's module reads bytes and writes both."""
    return name.decode() if isinstance(name, bytes) else name or ""


@functools.cache
def names_of(enumeration: type) -> dict[int, str]:
    """The names of one of the schema's enumerations, by number."""
    return {
        value: name for name, value in vars(enumeration).items() if name[0].isupper()
    }
