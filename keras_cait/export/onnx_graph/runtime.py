"""Inference with onnxruntime."""

from pathlib import Path

import numpy as np

from keras_cait.optional_packages import import_optional


class OnnxRuntime:
    """A loaded ONNX file on the CPU.

    Args:
        path: The file.
        threads: Number of threads of an operator.

    Raises:
        ValueError: If onnxruntime refuses the file.

    """

    def __init__(self, path: Path, threads: int) -> None:
        onnxruntime = import_optional("onnxruntime", "export")
        errors = onnxruntime.capi.onnxruntime_pybind11_state
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 4  # errors are raised anyway
        try:
            self.session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except (
            errors.Fail,
            errors.InvalidGraph,
            errors.InvalidProtobuf,
            errors.NotImplemented,
        ) as error:
            raise ValueError(f"onnxruntime refuses the file: {error}") from error

        self._outputs = [output.name for output in self.session.get_outputs()]

    def __call__(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """Outputs by name, in order, for `(batch, height, width, channels)`."""
        found = self.session.run(self._outputs, {"images": images})
        return dict(zip(self._outputs, found, strict=True))
