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

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Probabilities `(batch, classes)` of `(batch, height, width, channels)`."""
        return self.session.run(["probabilities"], {"images": images})[0]
