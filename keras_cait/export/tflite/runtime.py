"""Execution of TFLite files by LiteRT, the runtime of phones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from keras_cait.export.tflite.file import pack
from keras_cait.optional_packages import import_optional
from keras_cait.terminal.captured_stderr import captured_stderr
from keras_cait.terminal.steps import counted_step


class TfliteRuntime:
    """A loaded file.

    Args:
        file: The file, or its content.
        threads: Number of threads.

    Raises:
        ValueError: If LiteRT refuses the file.

    """

    def __init__(self, file: Path | bytes, threads: int) -> None:
        source: dict[str, Any] = (
            {"model_content": file}
            if isinstance(file, bytes)
            else {"model_path": str(file)}
        )
        # LiteRT prints the name of its delegate.
        with captured_stderr() as written:
            try:
                self.interpreter = import_optional(
                    "ai_edge_litert.interpreter", "export"
                ).Interpreter(num_threads=threads, **source)
                self.interpreter.allocate_tensors()
            except (RuntimeError, ValueError) as error:
                raise ValueError(
                    f"LiteRT refuses the file: {error} {written()[-2000:]}"
                ) from error
        self._input = self.interpreter.get_input_details()[0]["index"]
        self._outputs: dict[str, int] = {}
        if self.interpreter.get_signature_list():
            outputs = self.interpreter.get_signature_runner().get_output_details()
            self._outputs = {name: row["index"] for name, row in outputs.items()}

    def __call__(self, image: np.ndarray) -> dict[str, np.ndarray]:
        """Outputs `(1, ...)` of an image `(1, height, width, channels)`.

        The names are those of the file's signature; without one there is no output.
        """
        self.interpreter.set_tensor(self._input, image)
        self.interpreter.invoke()
        return {
            name: self.interpreter.get_tensor(index)
            for name, index in self._outputs.items()
        }


@dataclass(frozen=True)
class TensorStatistics:
    """Values of tensors over images, by index of the tensor.

    Attributes:
        ranges: Smallest and largest value.
        means: Mean of each channel.
    """

    ranges: Mapping[int, tuple[float, float]]
    means: Mapping[int, np.ndarray]


def tensor_statistics(
    model: Any, indices: Sequence[int], images: np.ndarray, threads: int
) -> TensorStatistics:
    """Ranges and means of tensors over images.

    Args:
        model: A `ModelT` in float32.
        indices: Indices of the tensors.
        images: Inputs of the model, `(images, height, width, channels)`.
        threads: Number of threads.

    """
    (graph,) = model.subgraphs
    outputs, signatures = graph.outputs, model.signatureDefs
    wanted = sorted(set(indices))
    # As outputs, because the runtime reuses the memory of other tensors.
    graph.outputs = np.array([*outputs, *wanted], "int32")
    model.signatureDefs = []
    try:
        runtime = TfliteRuntime(pack(model), threads)
    finally:
        graph.outputs, model.signatureDefs = outputs, signatures
    ranges = dict.fromkeys(wanted, (np.inf, -np.inf))
    means: dict[int, Any] = dict.fromkeys(wanted, 0.0)
    with counted_step("measuring ranges", len(images)) as advance:
        for image in images:
            runtime(image[None])
            for index in wanted:
                values = runtime.interpreter.get_tensor(index)
                smallest, largest = ranges[index]
                ranges[index] = (
                    min(smallest, float(values.min())),
                    max(largest, float(values.max())),
                )
                rows = values.reshape(-1, values.shape[-1])
                mean = rows.mean(axis=0, dtype="float64")
                means[index] = means[index] + mean / len(images)
            advance()
    return TensorStatistics(ranges, means)
