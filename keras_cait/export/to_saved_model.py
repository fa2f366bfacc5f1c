"""Models as SavedModels for TensorFlow Serving, from bytes of images to labels."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_cait.export.pipeline.comparison import median_latency
from keras_cait.export.pipeline.output_paths import export_target
from keras_cait.export.pipeline.photographs import DESCRIPTION, photographs
from keras_cait.export.pipeline.preparation import images_to_compare, prepare
from keras_cait.export.pipeline.report import ExportReport, size_on_disk
from keras_cait.export.saved_model.check import check_signatures, check_warmup
from keras_cait.export.saved_model.saved_graph import SavedGraph
from keras_cait.export.saved_model.signatures import Signatures
from keras_cait.export.saved_model.warmup import APIS, write_warmup
from keras_cait.optional_packages import import_optional
from keras_cait.processors import processors

_LARGE_IMAGE = (375, 500)  # pixels, about the median of ImageNet's
_SMALL = 64  # pixels a side; warm-up requests of numbers need no more


def to_saved_model(
    model: keras.Model,
    path: Path | str,
    *,
    labels: Sequence[str] | None = None,
    images: np.ndarray | Path | str | None = None,
    weights: str = "not stated",
    top: int = 5,
    version: int = 1,
    verbose: bool = True,
) -> ExportReport:
    """Writes a classifier as a SavedModel, and a report beside it.

    `PATH/VERSION` holds a model that TensorFlow runs without Keras and without this
    package: images are decoded, resized, cropped and normalized inside, as they are
    in evaluation here. See `Signatures` for what it can be asked. It is loaded and
    every signature compared with the Keras model, and its warm-up requests answered,
    before it is there.

    Args:
        model: A classifier as the builders of this package make it, of any precision.
        path: Folder of the versions, which TensorFlow Serving watches.
        labels: Names of the classes, in order.
        images: To compare on, `(images, height, width, channels)` in [0, 255] or a
            folder of files; None for photographs. As all images they are resized and
            cropped as in evaluation, so that a model of `crop_pct` 0.9 sees the
            middle of them.
        weights: Where they came from, for the report.
        top: How many of the likeliest classes `serving_default` gives; all of them
            where there are fewer.
        version: Which one this is, 1 or more. It must be new.
        verbose: Whether the report is printed too.

    Returns:
        What was compared, how fast it is and what it is made of. The latency is
        that of a JPEG of 500 x 375 pixels through `serving_default`.

    Raises:
        ValueError: If the model cannot be exported, an argument does not fit, or the
            export differs from Keras by more than 1e-4 of the largest output.
        OSError: If nothing can be written there, or the version is there already.
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
    import_optional(f"{APIS}.prediction_log_pb2", "export")
    path = Path(path, str(version))
    with export_target(path) as target:
        temporary = target.artifact
        prepared = prepare(model, labels=labels, weights=weights)
        channels = prepared.model.input_shape[-1]
        # Larger than most models' images, so that resizing is compared too.
        pictures = photographs(_LARGE_IMAGE, channels=channels)
        if images is None:
            pixels, compared = pictures, DESCRIPTION
        else:
            pixels, compared = images_to_compare(prepared, images)
        pixels = np.clip(np.round(pixels), 0, 255).astype("uint8")
        served = Signatures(prepared, top=min(top, model.output_shape[-1]))
        functions = served.functions()
        tf.saved_model.save(served, str(temporary), signatures=functions)
        file = tf.io.encode_jpeg(pictures[0].astype("uint8")).numpy()
        requests = dict.fromkeys(functions, pictures[:1, :_SMALL, :_SMALL])
        write_warmup(temporary, requests | {"serving_default": [file]})

        loaded = tf.saved_model.load(str(temporary)).signatures
        check_warmup(temporary, loaded)
        found = check_signatures(loaded, prepared, served.view, pixels, file)
        one = tf.constant([file])
        latency = median_latency(lambda: loaded["serving_default"](images=one))
        graph = SavedGraph(temporary, "serving_default")
        size = size_on_disk(temporary)
        described: dict[str, Any] = {
            **prepared.described,
            "input": "JPEG or PNG files (`serving_default`); images of any "
            f"size, {served.view.channels} channels, float32, in [0, 255] "
            "(the other signatures)",
        }
        report = ExportReport(
            path=path,
            format="saved_model",
            precision="float32",
            **described,
            compared=f"{compared}, in every signature, and one as a JPEG",
            comparison=found,
            size_bytes=size,
            latency_ms=latency,
            threads=_threads(),
            operators=graph.operators(),
            largest_rank=graph.largest_rank(),
            details={"signatures": sorted(functions)},
        )
        report.write(target.report)
    if verbose:
        report.show()
    return report


def _threads() -> int:
    """That one operator may use."""
    asked = tf.config.threading.get_intra_op_parallelism_threads()
    return asked or processors()
