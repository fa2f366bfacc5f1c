"""Models as TFLite files, each run and compared before it is there."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_cait.export.pipeline.comparison import (
    REPORT_IT,
    Comparison,
    answers,
    measure,
)
from keras_cait.export.pipeline.comparison_images import MOST, labels_of
from keras_cait.export.pipeline.output_paths import export_target
from keras_cait.export.pipeline.preparation import Prepared, images_to_compare, prepare
from keras_cait.export.pipeline.report import ExportReport, size_on_disk
from keras_cait.export.pipeline.verdict import (
    Verdict,
    by_answers,
    by_difference,
    check_tolerance,
)
from keras_cait.export.tflite.biases import correct_biases
from keras_cait.export.tflite.check import check_tflite
from keras_cait.export.tflite.conversion import convert
from keras_cait.export.tflite.file import pack, unpack
from keras_cait.export.tflite.integers import (
    KEPT,
    products,
    products_into_gelu,
    quantize_products,
    quantize_weights,
)
from keras_cait.export.tflite.metadata import (
    TfliteMetadata,
    add_metadata,
    with_labels,
)
from keras_cait.export.tflite.representative_images import (
    MOST_REPRESENTATIVE,
    check_representative,
    representative_images,
)
from keras_cait.export.tflite.runtime import TfliteRuntime, seen_values
from keras_cait.layers import FeedForward
from keras_cait.optional_packages import import_optional
from keras_cait.processors import processors

TOLERANCES = {"float32": 1e-4, "float16": 2e-2, "dynamic": 0.1, "int8": 0.1}
"""Of the largest output, by precision. With 8-bit weights a larger difference is
allowed where the answers stay, see `by_answers`."""
PRECISIONS = tuple(TOLERANCES)
_ADVICE = {
    "float32": REPORT_IT,
    "float16": 'export it with `precision="float32"`: its weights or what they are '
    "multiplied with may be too large for half precision.",
    "dynamic": 'export it with `precision="float16"` or "float32", or compare on '
    "`images` such as the model was trained on.",
    "int8": "give `representative` images such as the model will see, 100 or more, or "
    'export it with `precision="dynamic"`, which needs none.',
}


def to_tflite(
    model: keras.Model,
    path: Path | str,
    *,
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
    does, and gives `probabilities`, `(1, classes)` float32. It is made of operators
    that are built into TFLite, without a tensor of more than four axes or of unknown
    size. It is loaded by LiteRT and compared with the Keras model before it is there.
    Labels and normalization are metadata inside.

    Args:
        model: A classifier as the builders of this package make it, of any precision.
        path: Where the file is to be; its name ends in ".tflite".
        precision: "float32"; "float16", weights of half the size, computed with in
            float32; "dynamic", the weights of linear layers in 8 bits, and what they
            multiply quantized as it comes; "int8", as well, but the first layer of
            each feed-forward in integers throughout, by ranges that representative
            images show, and biases that make up for the mean error of the weights.
        representative: For "int8": what the model will see, at least 16 images, better
            100; an array `(images, height, width, channels)` in [0, 255] or a folder,
            whose images are resized and cropped as the model wants.
        labels: Names of the classes, in order.
        images: To compare on, `(images, height, width, channels)` in [0, 255], or a
            folder; None for photographs.
        weights: Where they came from, for the report.
        tolerance: Largest difference, as a part of the largest output, that decides
            alone. None for 1e-4, for 2e-2 in float16, and with 8-bit weights for 0.1
            or else for the answers: the likeliest class of 95 % of the images must
            stay, and where a folder tells their labels, the accuracy to 1 percentage
            point. These are the `representative` images, or without them `images`.
        keep_anyway: Whether an export that differs by more is kept. Its report then
            says so: `passed` is False, and `details` has the reason.
        overwrite: Whether a file that is there is replaced.
        verbose: Whether the report is printed too.

    Returns:
        What was compared, how fast it is and what it is made of.

    Raises:
        ValueError: If the model cannot be exported, an argument does not fit, the file
            has an operator that phones lack, or it differs from Keras by more than
            it may.
        OSError: If nothing can be written there.
        ModuleNotFoundError: If a package is missing that TFLite needs.

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
    path = Path(path)
    if precision not in PRECISIONS:
        raise ValueError(
            f"`precision` must be one of {', '.join(PRECISIONS)}. Received: "
            f"precision={precision!r}"
        )
    check_representative(representative, precision)
    check_tolerance(tolerance)
    import_optional("ai_edge_litert.interpreter", "export")
    threads = processors()
    # The target first: the work is in vain where nothing can be written.
    with export_target(path, suffix=".tflite", overwrite=overwrite) as target:
        temporary = target.artifact
        prepared = prepare(model, labels=labels, weights=weights)
        seen = None
        if representative is not None:
            seen = representative_images(representative, prepared)
        pixels, compared = images_to_compare(prepared, images)
        inputs = prepared.normalized(pixels)
        expected = prepared.expected(inputs)
        file = unpack(convert(prepared.model, halves=precision == "float16"))
        if seen is not None:
            _use_integers(file, prepared.normalized(seen), threads)
        if precision in ("dynamic", "int8"):
            quantize_weights(file)
        channels = prepared.model.input_shape[-1]
        add_metadata(file, _metadata(prepared), channels=channels)
        temporary.write_bytes(with_labels(pack(file), prepared.labels))
        del file
        graph = check_tflite(temporary.read_bytes(), gelus=_activations(prepared))
        runtime = TfliteRuntime(temporary, threads)
        found, latency = measure(runtime, inputs, expected, math.inf)
        verdict = _verdict(
            found, precision, tolerance, runtime, prepared, (images, representative)
        )
        verdict.check(_ADVICE[precision], keep_anyway=keep_anyway)
        size = size_on_disk(temporary)
        details: dict[str, Any] = {
            "batch": 1,
            "runtime": f"TensorFlow Lite {graph.runtime} or later, LiteRT",
            "tensors": dict(graph.types),
        }
        if precision in ("dynamic", "int8"):
            details["kept in float32"] = KEPT
        if seen is not None:
            details["representative images"] = len(seen)
        details |= verdict.details
        report = ExportReport(
            path=path,
            format="tflite",
            precision=precision,
            **prepared.described,
            compared=compared,
            comparison=found,
            size_bytes=size,
            latency_ms=latency,
            threads=threads,
            operators=graph.operators,
            largest_rank=graph.largest_rank,
            passed=verdict.passed,
            details=details,
        )
        report.write(target.report)
    if verbose:
        report.show()
    return report


def _verdict(
    found: Comparison,
    precision: str,
    tolerance: float | None,
    runtime: TfliteRuntime,
    prepared: Prepared,
    given: tuple[Any, Any],
) -> Verdict:
    """Decides by the outputs, and with 8-bit weights by the answers."""
    limit = TOLERANCES[precision] if tolerance is None else tolerance
    verdict = by_difference(found, limit)
    if tolerance is not None or precision not in ("dynamic", "int8"):
        return verdict
    images, representative = given
    labels = None
    if representative is None:
        source, most = images, MOST
        pixels, _ = images_to_compare(prepared, images)
    else:
        source, most = representative, MOST_REPRESENTATIVE
        pixels = representative_images(representative, prepared)
    if isinstance(source, Path | str):
        classes = prepared.model.output_shape[-1]
        labels = labels_of(Path(source), classes, prepared.labels, most)
    inputs = prepared.normalized(pixels)
    return by_answers(
        prepared.expected(inputs),
        answers(runtime, inputs),
        labels,
        near=verdict.passed,
    )


def _use_integers(file: Any, seen: np.ndarray, threads: int) -> None:
    """Computes products by the ranges that images show, as the model takes them."""
    every = products(file)
    ends = {index for product in every for index in (product.input, product.output)}
    found = seen_values(file, sorted(ends), seen, threads)
    correct_biases(file, found.means)
    quantize_products(file, products_into_gelu(file), found.ranges)


def _activations(prepared: Prepared) -> int:
    return sum(isinstance(layer, FeedForward) for layer in prepared.reference.layers)


def _metadata(prepared: Prepared) -> TfliteMetadata:
    preprocessing = prepared.preprocessing
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    if not prepared.takes_pixels:
        mean = tuple(255 * value for value in prepared.mean)
        std = tuple(255 * value for value in prepared.std)
    return TfliteMetadata(
        name=prepared.model.name,
        description=(
            f"Classifies {prepared.input}. The whole image is resized to the model's "
            f"size / {preprocessing.crop_pct:g}, {preprocessing.interpolation}, and "
            f"the middle cut out. Weights: {prepared.weights}."
        ),
        mean=mean,
        std=std,
        labels=prepared.labels,
    )
