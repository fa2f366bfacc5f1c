"""Changes to the graph of a TFLite file: constants, tensors and operators."""

from typing import Any

import numpy as np

from keras_cait.export.tflite.file import operator_name, schema, text_of


def values_of(model: Any, tensor: Any) -> np.ndarray:
    """The values of a constant in float32."""
    data = np.asarray(model.buffers[tensor.buffer].data, "uint8")
    return data.view("<f4").reshape(tensor.shape)


def replace_constant(
    model: Any,
    tensor: Any,
    levels: np.ndarray,
    kind: int,
    scales: np.ndarray | None = None,
) -> None:
    """Gives a constant other values, in a buffer of its own.

    Args:
        model: A `ModelT`, changed in place.
        tensor: The `TensorT`.
        levels: Its values, of any type.
        kind: That type, of the schema's `TensorType`.
        scales: What one step of them is worth, for each channel; None where they are
            no steps.

    """
    buffer = schema().BufferT()
    buffer.data = np.frombuffer(levels.tobytes(), "uint8")
    model.buffers.append(buffer)
    tensor.buffer = len(model.buffers) - 1
    tensor.type = kind
    if scales is not None:
        tensor.quantization = schema().QuantizationParametersT(
            scale=scales, zeroPoint=np.zeros(len(scales), "int64")
        )


def add_like(
    graph: Any, index: int, kind: int, extent: tuple[float, float] | None = None
) -> int:
    """Adds a tensor of another type, of the shape of one that is there.

    Args:
        graph: A `SubGraphT`, changed in place.
        index: Of the tensor that is there.
        kind: The type, of the schema's `TensorType`.
        extent: Smallest and largest value that 8 bits are to stand for.

    Returns:
        Its index.

    """
    like = graph.tensors[index]
    tensor = schema().TensorT(
        shape=like.shape,
        type=kind,
        name=f"{text_of(like.name)}_quantized",
        hasRank=True,
    )
    if extent is not None:
        tensor.quantization = _steps(*extent)
    graph.tensors.append(tensor)
    return len(graph.tensors) - 1


def _steps(smallest: float, largest: float) -> Any:
    """Scale and zero point of int8 values for a range, 0 always among them."""
    smallest, largest = min(smallest, 0.0), max(largest, 0.0)
    scale = max((largest - smallest) / 255, 1e-12)
    zero_point = int(np.clip(round(-128 - smallest / scale), -128, 127))
    return schema().QuantizationParametersT(
        scale=np.array([scale], "float32"), zeroPoint=np.array([zero_point], "int64")
    )


class OperatorKinds:
    """The kinds of operator of a file, with the versions that it asks for."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def raise_to(self, version: int, operator: Any) -> None:
        """Asks for a version of an operator that is there."""
        code = self.model.operatorCodes[operator.opcodeIndex]
        code.version = max(code.version, version)

    def make(self, name: str, version: int, taken: int, made: int) -> Any:
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
