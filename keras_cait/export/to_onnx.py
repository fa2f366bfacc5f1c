"""Export of models as ONNX files."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from keras_cait.export.onnx_graph.conversion import add_metadata, check_size, convert
from keras_cait.export.onnx_graph.file import check_onnx
from keras_cait.export.onnx_graph.runtime import OnnxRuntime
from keras_cait.export.pipeline.comparison import (
    compare_outputs,
    median_latency,
    predict_singly,
)
from keras_cait.export.pipeline.flow import ExportFormat, export_model
from keras_cait.export.pipeline.outputs import DEFAULT_OUTPUTS, check_outputs
from keras_cait.export.pipeline.preparation import PreparedModel
from keras_cait.export.pipeline.report import CheckResult, ExportReport
from keras_cait.export.pipeline.verdict import by_difference
from keras_cait.optional_packages import import_optional
from keras_cait.processors import processors

OPSETS = range(13, 19)  # 18 is the newest that tf2onnx writes
TOLERANCE = 1e-4  # of the largest value of an output
BATCH_SIZES = (1, 3, 16)  # every file is run with each of them


def to_onnx(
    model: keras.Model,
    path: Path | str,
    *,
    outputs: Sequence[str] = DEFAULT_OUTPUTS,
    opset: int = OPSETS[-1],
    labels: Sequence[str] | None = None,
    images: np.ndarray | Path | str | None = None,
    weights: str = "not stated",
    overwrite: bool = False,
    verbose: bool = True,
) -> ExportReport:
    """Writes a classifier as an ONNX file, and a report beside it.

    The file takes `images`, `(batch, height, width, channels)` float32 as the Keras
    model does, and returns the outputs, float32 with the names and shapes below, for
    any batch size. Before it appears, it is checked by onnx, run by onnxruntime and
    each output is compared with that of the Keras model. Its metadata holds the labels,
    image size, mean, standard deviation and the source of the weights; for other
    outputs than probabilities also `outputs`, their names, and `class_attention`, its
    numbers of blocks and heads, both as JSON.

    Args:
        model: A classifier as the builders of this package make it, of any precision.
        path: Target file; the name ends in ".onnx".
        outputs: One or more, in the order of the file's:

            - "probabilities", `(batch, classes)`;
            - "logits", `(batch, classes)`, of two heads their mean;
            - "features", `(batch, dim)`, the input of the head; of a distilled model
              the mean of its class and distillation token;
            - "heads", of a distilled model `class_logits` and `distillation_logits`,
              `(batch, classes)`;
            - "class_attention", `(batch, blocks * heads, rows, columns)`, the attention
              of the class token to the patches for each head of each class-attention
              block of CaiT, or of each block of DeiT.
        opset: Version of ONNX's operators, 13 to 18.
        labels: Names of the classes, in order.
        images: Images to compare on, `(images, height, width, channels)` in [0, 255],
            or a folder; None for photographs.
        weights: Source of the weights, for the report.
        overwrite: Whether an existing file is replaced.
        verbose: Whether the report is printed.

    Returns:
        The report: comparison, latency, size and operators.

    Raises:
        ValueError: If the model cannot be exported, an argument is invalid, or the
            file is not valid or an output differs from Keras by more than 1e-4 of its
            largest value.
        OSError: If the target exists or cannot be written.
        ModuleNotFoundError: If a package that ONNX needs is not installed.

    Example:
        >>> import tempfile, keras_cait
        >>> model = keras_cait.DeiT(
        ...     input_shape=(32, 32, 3), patch_size=16, embed_dim=8, depth=1,
        ...     num_heads=2, classes=3, include_preprocessing=True,
        ... )
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     report = to_onnx(model, f"{folder}/deit.onnx", labels=["a", "b", "c"],
        ...         verbose=False)
        >>> report.comparison.relative_difference < 1e-4, report.details["opset"]
        (True, 18)

    Reference:
        ONNX, https://onnx.ai/onnx/; tf2onnx, https://github.com/onnx/tensorflow-onnx

    """
    if opset not in OPSETS:
        raise ValueError(
            f"`opset` must be {OPSETS[0]} to {OPSETS[-1]}. Received: opset={opset}"
        )
    return export_model(
        OnnxFormat(opset=opset, outputs=check_outputs(outputs)),
        model,
        Path(path),
        labels=labels,
        images=images,
        weights=weights,
        overwrite=overwrite,
        verbose=verbose,
    )


@dataclass(frozen=True, kw_only=True)
class OnnxFormat(ExportFormat):
    """Write and check steps of an ONNX file; see `to_onnx`."""

    opset: int
    outputs: tuple[str, ...] = DEFAULT_OUTPUTS

    name = "onnx"
    suffix = ".onnx"
    packages = ("onnx", "onnxruntime", "tf2onnx")

    def write(self, prepared: PreparedModel, path: Path) -> None:
        check_size(prepared.model)
        proto = convert(prepared.model, self.opset)
        add_metadata(proto, prepared)
        import_optional("onnx", "export").save(proto, str(path))

    def check(
        self, prepared: PreparedModel, path: Path, pixels: np.ndarray
    ) -> CheckResult:
        graph = check_onnx(path)
        threads = processors()
        runtime = OnnxRuntime(path, threads)
        inputs = prepared.model_inputs(pixels)
        expected = prepared.predict(inputs)
        for size in BATCH_SIZES:
            rows = np.arange(size) % len(inputs)
            wanted = {name: output[rows] for name, output in expected.items()}
            found = compare_outputs(wanted, runtime(inputs[rows]))
            by_difference(found, TOLERANCE).enforce()
        found = compare_outputs(expected, predict_singly(runtime, inputs))
        by_difference(found, TOLERANCE).enforce()
        return CheckResult(
            outputs=found,
            latency_ms=median_latency(lambda: runtime(inputs[:1])),
            threads=threads,
            operators=graph.operators,
            largest_rank=graph.largest_rank,
            details={"opset": graph.opset, "batch": "any size"},
        )
