"""Export of models as SavedModels for TensorFlow Serving."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_cait.data.images.gray_levels import to_gray_levels
from keras_cait.export.pipeline.comparison import median_latency
from keras_cait.export.pipeline.flow import ExportFormat, export_model
from keras_cait.export.pipeline.outputs import (
    DEFAULT_OUTPUTS,
    check_outputs,
    tensor_names,
)
from keras_cait.export.pipeline.photographs import photographs
from keras_cait.export.pipeline.preparation import PreparedModel, prepare
from keras_cait.export.pipeline.report import CheckResult, ExportReport
from keras_cait.export.saved_model.check import check_signatures, check_warmup
from keras_cait.export.saved_model.saved_graph import SavedGraph
from keras_cait.export.saved_model.signatures import FILES, Signatures, served_outputs
from keras_cait.export.saved_model.warmup import APIS, write_warmup
from keras_cait.processors import processors

_PHOTOGRAPH_SIZE = (375, 500)  # pixels, about the median of ImageNet's
_WARMUP_SIDE = 64  # pixels of the arrays in warm-up requests; no more are needed


def to_saved_model(
    model: keras.Model,
    path: Path | str,
    *,
    outputs: Sequence[str] = DEFAULT_OUTPUTS,
    labels: Sequence[str] | None = None,
    images: np.ndarray | Path | str | None = None,
    weights: str = "not stated",
    top: int = 5,
    version: int = 1,
    verbose: bool = True,
) -> ExportReport:
    """Writes a classifier as a SavedModel, and a report beside it.

    `PATH/VERSION` holds a model that TensorFlow runs without Keras and without this
    package. It decodes, resizes, crops and normalizes images as this package does in
    evaluation. `Signatures` lists its signatures. Before the folder appears, the model
    is loaded, every signature is compared with the Keras model, and its warm-up
    requests are run.

    Args:
        model: A classifier as the builders of this package make it, of any precision.
        path: Folder of the versions, which TensorFlow Serving watches.
        outputs: As of `to_onnx`. Others than probabilities alone add the signatures
            `outputs` and `outputs_of_files`, which return all of them from one run.
        labels: Names of the classes, in order.
        images: Images to compare on, `(images, height, width, channels)` in [0, 255],
            or a folder; None for photographs. They are resized and cropped as in
            evaluation, so a model with `crop_pct` 0.9 gets the center of them.
        weights: Source of the weights, for the report.
        top: Number of classes that `serving_default` returns, the most probable
            first; all classes if there are fewer.
        version: Number of the version, 1 or more. It must be new.
        verbose: Whether the report is printed.

    Returns:
        The report: comparison, latency, size and operators. The latency is that of a
        JPEG of 500 x 375 pixels through `serving_default`.

    Raises:
        ValueError: If the model cannot be exported, an argument is invalid, or the
            export differs from Keras by more than 1e-4 of the largest value of an
            output.
        OSError: If the version exists or cannot be written.
        ModuleNotFoundError: If tensorflow-serving-api is not installed.

    Example:
        >>> import tempfile, keras_cait
        >>> model = keras_cait.DeiT(
        ...     input_shape=(16, 16, 3), patch_size=8, embed_dim=8, depth=1,
        ...     num_heads=2, classes=3, include_preprocessing=True,
        ... )
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     report = to_saved_model(model, folder, labels=["a", "b", "c"],
        ...         verbose=False)
        >>> report.comparison.relative_difference < 1e-4
        True

    Reference:
        https://www.tensorflow.org/guide/saved_model,
        https://www.tensorflow.org/tfx/guide/serving

    """
    if version < 1 or top < 1:
        raise ValueError(
            f"`version` and `top` must be 1 or more. Received: version={version}, "
            f"top={top}"
        )
    return export_model(
        SavedModelFormat(
            top=min(top, model.output_shape[-1]), outputs=check_outputs(outputs)
        ),
        model,
        Path(path, str(version)),
        labels=labels,
        images=images,
        weights=weights,
        verbose=verbose,
    )


@dataclass(frozen=True, kw_only=True)
class SavedModelFormat(ExportFormat):
    """Write and check steps of a SavedModel; see `to_saved_model`."""

    top: int
    outputs: tuple[str, ...] = DEFAULT_OUTPUTS

    name = "saved_model"
    suffix = None
    packages = (f"{APIS}.prediction_log_pb2",)
    # Larger than the images of most models, so that resizing is compared too.
    photograph_size = _PHOTOGRAPH_SIZE
    comparison_note = ", in every signature, and one as a JPEG"

    def prepare(self, model: keras.Model, **description: Any) -> PreparedModel:
        outputs = served_outputs(model, self.outputs)
        return prepare(model, outputs=outputs, **description)

    def input_description(self, prepared: PreparedModel) -> str:
        return (
            "JPEG or PNG files (`serving_default`); images of any size, "
            f"{prepared.model.input_shape[-1]} channels, float32, in [0, 255] "
            "(the other signatures)"
        )

    def write(self, prepared: PreparedModel, path: Path) -> None:
        is_default = self.outputs == DEFAULT_OUTPUTS
        outputs = () if is_default else tensor_names(self.outputs)
        served = Signatures(prepared, top=self.top, outputs=outputs)
        functions = served.functions()
        tf.saved_model.save(served, str(path), signatures=functions)
        image = _photograph(prepared)[None, :_WARMUP_SIDE, :_WARMUP_SIDE]
        write_warmup(
            path,
            {
                name: [_jpeg(prepared)] if name in FILES else image.astype("float32")
                for name in functions
            },
        )

    def check(
        self, prepared: PreparedModel, path: Path, pixels: np.ndarray
    ) -> CheckResult:
        loaded = tf.saved_model.load(str(path)).signatures
        check_warmup(path, loaded)
        file = _jpeg(prepared)
        pixels = to_gray_levels(pixels).numpy()
        graph = SavedGraph(path, "serving_default")
        return CheckResult(
            outputs=check_signatures(loaded, prepared, pixels, file),
            latency_ms=median_latency(
                lambda: loaded["serving_default"](images=tf.constant([file]))
            ),
            threads=_threads(),
            operators=graph.operators(),
            largest_rank=graph.largest_rank(),
            details={"signatures": sorted(loaded)},
        )


def _photograph(prepared: PreparedModel) -> np.ndarray:
    channels = prepared.model.input_shape[-1]
    return photographs(_PHOTOGRAPH_SIZE, number=1, channels=channels)[0].astype("uint8")


def _jpeg(prepared: PreparedModel) -> bytes:
    return tf.io.encode_jpeg(_photograph(prepared)).numpy()


def _threads() -> int:
    """Number of threads of one operator."""
    return tf.config.threading.get_intra_op_parallelism_threads() or processors()
