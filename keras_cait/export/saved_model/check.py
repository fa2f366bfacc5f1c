"""Comparison of all signatures of a SavedModel with the Keras model."""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_cait.data.images.evaluation_transform import EvaluationTransform
from keras_cait.export.pipeline.comparison import (
    OutputComparison,
    compare,
    worst,
)
from keras_cait.export.pipeline.outputs import HEADS, OF_CLASSES
from keras_cait.export.pipeline.preparation import PreparedModel
from keras_cait.export.pipeline.verdict import by_difference
from keras_cait.export.saved_model.signatures import FILES
from keras_cait.export.saved_model.warmup import read_warmup
from keras_cait.typing import Tensor

TOLERANCE = 1e-4  # of the largest value of an output

_PROBABILITIES = dict(zip(("class", "distillation"), HEADS, strict=True))

Loaded = Mapping[str, tf.types.experimental.ConcreteFunction]
"""Signatures of a SavedModel as TensorFlow loads them, by name."""


def check_signatures(
    loaded: Loaded, prepared: PreparedModel, pixels: np.ndarray, file: bytes
) -> dict[str, OutputComparison]:
    """Compares the outputs of all signatures with those of the Keras model.

    `pixels` are `(images, height, width, channels)` uint8, which signatures of files
    get as PNG; `file` is a JPEG for them. Returns the largest difference of each output
    in all signatures, and its lowest agreement. Raises `ValueError` if an output
    differs by more than 1e-4 of its largest value, or a class name is wrong.
    """
    transform = EvaluationTransform.from_preprocessing(
        prepared.preprocessing, channels=pixels.shape[-1]
    )
    images = [transform(tf.constant(image)) for image in (*pixels, file)]
    expected = _keras_outputs(prepared, prepared.model_inputs(np.stack(images)))
    order = {name: place for place, name in enumerate(expected)}
    images = tf.constant(pixels, "float32")
    files = tf.stack([*(tf.io.encode_png(image) for image in pixels), file])
    found: dict[str, list[OutputComparison]] = defaultdict(list)
    for signature in sorted(loaded, reverse=True):  # serving_default first
        given = files if signature in FILES else images
        outputs = loaded[signature](images=given)
        if signature == "serving_default":
            top = _compare_top(outputs, expected["probabilities"], prepared.labels)
            found["scores"] += top
            continue
        for name, rows in sorted(outputs.items(), key=lambda row: order[row[0]]):
            wanted = expected[name][: len(given)]
            of_classes = name in OF_CLASSES or name in _PROBABILITIES
            row = compare(wanted, rows.numpy(), name, of_classes=of_classes)
            found[name].append(row)
    compared = {name: worst(rows) for name, rows in found.items()}
    by_difference(compared, TOLERANCE).enforce()
    return compared


def check_warmup(folder: Path, loaded: Loaded) -> None:
    """Runs the warm-up requests, one for each signature, as a server does."""
    requests = read_warmup(folder)
    names = [request.model_spec.signature_name for request in requests]
    if sorted(names) != sorted(loaded):
        raise ValueError(
            f"There must be a warm-up request for each of {sorted(loaded)}. "
            f"Received: {names}. Nothing was written."
        )
    for name, request in zip(names, requests, strict=True):
        images = tf.make_ndarray(request.inputs["images"])
        try:
            outputs = loaded[name](images=tf.constant(images))
        except tf.errors.OpError as error:
            raise ValueError(
                f"The export must answer its warm-up requests. Received: {error} of "
                f"{name!r}. Nothing was written."
            ) from error
        for output, rows in outputs.items():
            if len(rows) != len(images) or not _is_finite(rows):
                raise ValueError(
                    "The export must answer its warm-up requests. Received: "
                    f"{output!r} of {name!r}, of shape {rows.shape} for {len(images)} "
                    "images, or numbers that are not finite. Nothing was written."
                )


def _compare_top(
    top: Mapping[str, Tensor], expected: np.ndarray, labels: tuple[str, ...] | None
) -> list[OutputComparison]:
    """Compares the scores with those of the same classes, and with the largest ones."""
    indices, scores = top["indices"].numpy(), top["scores"].numpy()
    if labels is not None:
        wanted = np.array([label.encode() for label in labels], object)[indices]
        named = top["classes"].numpy()
        if not np.array_equal(named, wanted):
            row, column = np.argwhere(named != wanted)[0]
            raise ValueError(
                f"The export must name class {indices[row, column]} "
                f"{wanted[row, column]!r}. Received: {named[row, column]!r}. Nothing "
                "was written."
            )
    of_these = np.take_along_axis(expected, indices, axis=-1)
    largest = -np.sort(-expected, axis=-1)[:, : scores.shape[1]]
    return [compare(of_these, scores), compare(largest, scores)]


def _keras_outputs(
    prepared: PreparedModel, inputs: np.ndarray
) -> dict[str, np.ndarray]:
    """Outputs of the Keras model, and the probabilities of its heads."""
    found = prepared.predict(inputs)
    for name, logits in _PROBABILITIES.items():
        if logits in found:
            found[name] = tf.nn.softmax(found[logits]).numpy()
    return found


def _is_finite(rows: Tensor) -> bool:
    return not rows.dtype.is_floating or bool(np.isfinite(rows.numpy()).all())
