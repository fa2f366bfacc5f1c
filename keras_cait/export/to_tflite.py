"""Export of models as TFLite files."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_cait.export.pipeline.comparison import (
    compare_outputs,
    median_latency,
    predict_singly,
)
from keras_cait.export.pipeline.comparison_images import MOST
from keras_cait.export.pipeline.flow import ExportFormat, export_model
from keras_cait.export.pipeline.outputs import (
    DEFAULT_OUTPUTS,
    DESCRIPTIONS,
    check_outputs,
)
from keras_cait.export.pipeline.preparation import PreparedModel
from keras_cait.export.pipeline.report import CheckResult, ExportReport
from keras_cait.export.pipeline.verdict import by_difference
from keras_cait.export.tflite.acceptance import (
    ADVICE,
    EIGHT_BITS,
    TOLERANCES,
    in_eight_bits,
    labels_if_known,
)
from keras_cait.export.tflite.biases import correct_biases
from keras_cait.export.tflite.check import check_tflite
from keras_cait.export.tflite.conversion import convert
from keras_cait.export.tflite.file import order_outputs, pack, unpack
from keras_cait.export.tflite.matrix_products import (
    matrix_products,
    products_before_gelu,
)
from keras_cait.export.tflite.metadata import (
    TfliteMetadata,
    add_metadata,
    with_labels,
)
from keras_cait.export.tflite.quantization import FLOAT_OPERATORS, quantize
from keras_cait.export.tflite.representative_images import (
    MOST_REPRESENTATIVE,
    check_representative,
    representative_images,
)
from keras_cait.export.tflite.runtime import TfliteRuntime, tensor_statistics
from keras_cait.layers import FeedForward
from keras_cait.processors import processors

PRECISIONS = tuple(TOLERANCES)


def to_tflite(
    model: keras.Model,
    path: Path | str,
    *,
    outputs: Sequence[str] = DEFAULT_OUTPUTS,
    precision: str = "float32",
    representative: np.ndarray | Path | str | None = None,
    labels: Sequence[str] | None = None,
    images: np.ndarray | Path | str | None = None,
    weights: str = "not stated",
    tolerance: float | None = None,
    keep_anyway: bool = False,
    overwrite: bool = False,
    verbose: bool = True,
) -> ExportReport:
    """Writes a classifier as a TFLite file, and a report beside it.

    The file takes `images`, `(1, height, width, channels)` float32 as the Keras model
    does, and returns the outputs, float32 with a batch of 1, by their names in the
    signature `serving_default`. It consists of built-in TFLite operators, without
    tensors of more than four axes or of unknown size. Before it appears, it is run by
    LiteRT and each output is compared with that of the Keras model. Labels,
    normalization and descriptions of the outputs are in its metadata.

    Args:
        model: A classifier as the builders of this package make it, of any precision.
        path: Target file; the name ends in ".tflite".
        outputs: As of `to_onnx`.
        precision: "float32"; "float16": weights in half precision, converted to float32
            at run time; "dynamic": weights of linear layers in 8 bits, their inputs
            quantized at run time; "int8": the same, but the first layer of each
            feed-forward uses integers throughout. Its ranges come from representative
            images, and its biases correct the mean error of the weights.
        representative: For "int8": images such as the model will see, at least 16,
            better 100; an array `(images, height, width, channels)` in [0, 255], or a
            folder, whose images are resized and cropped as in evaluation.
        labels: Names of the classes, in order.
        images: Images to compare on, `(images, height, width, channels)` in [0, 255],
            or a folder; None for photographs.
        weights: Source of the weights, for the report.
        tolerance: Largest difference of an output, relative to its largest value. If
            given, it alone decides. None means 1e-4, in float16 2e-2, and with 8-bit
            weights 0.1 or, of outputs of classes, the predictions: the predicted class
            of 95 % of the images must stay, and if a folder gives their labels, the
            accuracy must stay to 1 percentage point. These are the `representative`
            images, or `images` if there are none.
        keep_anyway: Whether an export that differs by more is kept. Its report then
            has `passed` False, and `details` contains the reason.
        overwrite: Whether an existing file is replaced.
        verbose: Whether the report is printed.

    Returns:
        The report: comparison, latency, size and operators.

    Raises:
        ValueError: If the model cannot be exported, an argument is invalid, the file
            has unsuitable operators, or it differs from Keras by more than allowed.
        OSError: If the target exists or cannot be written.
        ModuleNotFoundError: If a package that TFLite needs is not installed.

    Example:
        >>> import tempfile, keras_cait
        >>> model = keras_cait.DeiT(
        ...     input_shape=(32, 32, 3), patch_size=16, embed_dim=8, depth=1,
        ...     num_heads=2, classes=3, include_preprocessing=True,
        ... )
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     report = to_tflite(model, f"{folder}/m.tflite", labels=["a", "b", "c"],
        ...         verbose=False)
        >>> report.comparison.relative_difference < 1e-4, report.operators["GELU"]
        (True, 1)

    Reference:
        LiteRT, https://ai.google.dev/edge/litert

    """
    if precision not in PRECISIONS:
        raise ValueError(
            f"`precision` must be one of {', '.join(PRECISIONS)}. Received: "
            f"precision={precision!r}"
        )
    check_representative(representative, precision)
    if tolerance is not None and not 0 <= tolerance < math.inf:
        raise ValueError(
            f"`tolerance` must be a number of 0 or more. Received: {tolerance}"
        )
    return export_model(
        TfliteFormat(
            outputs=check_outputs(outputs),
            precision=precision,
            representative=representative,
            images=images,
            tolerance=tolerance,
            keep_anyway=keep_anyway,
        ),
        model,
        Path(path),
        labels=labels,
        images=images,
        weights=weights,
        overwrite=overwrite,
        verbose=verbose,
    )


@dataclass(kw_only=True)
class TfliteFormat(ExportFormat):
    """Write and check steps of a TFLite file; see `to_tflite`."""

    precision: str
    representative: np.ndarray | Path | str | None
    images: np.ndarray | Path | str | None
    tolerance: float | None
    keep_anyway: bool
    outputs: tuple[str, ...] = DEFAULT_OUTPUTS
    # Pixels of `representative`, which `write` reads and `check` uses again.
    calibration: np.ndarray | None = field(default=None, init=False)

    name = "tflite"
    suffix = ".tflite"
    packages = ("ai_edge_litert.interpreter",)

    def write(self, prepared: PreparedModel, path: Path) -> None:
        if self.representative is not None:
            self.calibration = representative_images(self.representative, prepared)
        file = unpack(convert(prepared.model, halves=self.precision == "float16"))
        order_outputs(file, prepared.outputs)
        if self.calibration is not None:
            seen = prepared.model_inputs(self.calibration)
            file = _quantize_by_ranges(file, seen)
        elif self.precision in EIGHT_BITS:
            file = quantize(file)
        channels = prepared.model.input_shape[-1]
        add_metadata(file, _metadata(prepared), channels=channels)
        path.write_bytes(with_labels(pack(file), prepared.labels))

    def check(
        self, prepared: PreparedModel, path: Path, pixels: np.ndarray
    ) -> CheckResult:
        gelus = sum(isinstance(row, FeedForward) for row in prepared.reference.layers)
        graph = check_tflite(
            path.read_bytes(), gelus=gelus, outputs=len(prepared.outputs)
        )
        threads = processors()
        runtime = TfliteRuntime(path, threads)
        inputs = prepared.model_inputs(pixels)
        compared = compare_outputs(
            prepared.predict(inputs), predict_singly(runtime, inputs)
        )
        latency = median_latency(lambda: runtime(inputs[:1]))
        default = TOLERANCES[self.precision]
        tolerance = default if self.tolerance is None else self.tolerance
        verdict = by_difference(compared, tolerance)
        details: dict[str, Any] = {
            "batch": 1,
            "runtime": f"TensorFlow Lite {graph.runtime} or later, LiteRT",
            "tensors": dict(graph.types),
        }
        if self.precision in EIGHT_BITS:
            details["kept in float32"] = FLOAT_OPERATORS
            source, most = self.images, MOST
            if self.calibration is not None:
                details["representative images"] = len(self.calibration)
                source, most = self.representative, MOST_REPRESENTATIVE
                inputs = prepared.model_inputs(self.calibration)
            if self.tolerance is None:
                verdict = in_eight_bits(
                    compared,
                    prepared.predict(inputs),
                    predict_singly(runtime, inputs),
                    labels_if_known(prepared, source, most),
                    tolerance,
                )
        verdict.enforce(ADVICE[self.precision], keep_anyway=self.keep_anyway)
        return CheckResult(
            outputs=compared,
            latency_ms=latency,
            threads=threads,
            operators=graph.operators,
            largest_rank=graph.largest_rank,
            passed=verdict.passed,
            details=details | verdict.details,
        )


def _quantize_by_ranges(file: Any, seen: np.ndarray) -> Any:
    """Quantizes with corrected biases, and ranges for the products before GELU."""
    products = matrix_products(file)
    ends = {index for product in products for index in (product.input, product.output)}
    found = tensor_statistics(file, sorted(ends), seen, processors())
    chosen = {
        index
        for product in products_before_gelu(file)
        for index in (product.input, product.output)
    }
    correct_biases(file, found.means)
    return quantize(file, {index: found.ranges[index] for index in chosen})


def _metadata(prepared: PreparedModel) -> TfliteMetadata:
    preprocessing = prepared.preprocessing
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    if not prepared.takes_pixels:
        mean = tuple(255 * value for value in preprocessing.mean)
        std = tuple(255 * value for value in preprocessing.std)
    return TfliteMetadata(
        name=prepared.model.name,
        description=(
            f"Classifies {prepared.input_description}. The whole image is resized to "
            f"the model's size / {preprocessing.crop_pct:g}, "
            f"{preprocessing.interpolation}, and the middle cut out. "
            f"Weights: {prepared.published_source}."
        ),
        mean=mean,
        std=std,
        labels=prepared.labels,
        outputs={name: _description(prepared, name) for name in prepared.outputs},
    )


def _description(prepared: PreparedModel, name: str) -> str:
    if name != "class_attention":
        return DESCRIPTIONS[name]
    return f"{DESCRIPTIONS[name]} {prepared.class_attention}, in order."
