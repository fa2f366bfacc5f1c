"""Comparison of all signatures of a SavedModel with the Keras model."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_cait.data.images.evaluation_transform import EvaluationTransform
from keras_cait.export.pipeline.comparison import Comparison, compare
from keras_cait.export.pipeline.preparation import PreparedModel
from keras_cait.export.pipeline.verdict import by_difference
from keras_cait.export.saved_model.signatures import model_parts
from keras_cait.export.saved_model.warmup import read_warmup
from keras_cait.typing import Tensor

TOLERANCE = 1e-4  # of the largest output of a signature
_BATCH = 8  # images that the Keras model predicts at once
_OUTPUTS = {"features": ("features",), "heads": ("class", "distillation")}

Loaded = Mapping[str, tf.types.experimental.ConcreteFunction]
"""Signatures of a SavedModel as TensorFlow loads them, by name."""


def check_signatures(
    loaded: Loaded, prepared: PreparedModel, pixels: np.ndarray, file: bytes
) -> Comparison:
    """Compares the outputs of all signatures with those of the Keras model.

    `pixels` are `(images, height, width, channels)` uint8, which `serving_default` gets
    as PNG; `file` is a JPEG for it. Returns the largest difference of all signatures,
    and the lowest agreement. Raises `ValueError` if an output differs by more than 1e-4
    of its largest value, or a class name is wrong.
    """
    transform = EvaluationTransform.from_preprocessing(
        prepared.preprocessing, channels=pixels.shape[-1]
    )
    images = [transform(tf.constant(image)) for image in (*pixels, file)]
    inputs = prepared.model_inputs(np.stack(images))
    expected = prepared.predict(inputs)
    number = len(pixels)
    images = tf.constant(pixels, "float32")

    outputs = loaded["probabilities"](images=images)["probabilities"].numpy()
    found = [compare(expected[:number], outputs)]
    files = tf.stack([*(tf.io.encode_png(image) for image in pixels), file])
    top = loaded["serving_default"](images=files)
    found += _compare_top(top, expected, prepared.labels)
    agreement = min(one.top1_agreement for one in found)

    parts = _keras_outputs(prepared, inputs[:number])
    for signature in _OUTPUTS.keys() & loaded.keys():
        outputs = loaded[signature](images=images)
        found += [
            compare(parts[name], outputs[name].numpy()) for name in _OUTPUTS[signature]
        ]
    for one in found:
        by_difference(one, TOLERANCE).enforce()
    return dataclasses.replace(
        found[0],
        largest_difference=max(one.largest_difference for one in found),
        relative_difference=max(one.relative_difference for one in found),
        top1_agreement=agreement,
    )


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
) -> list[Comparison]:
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
    """Features and head probabilities of the Keras model, by name."""
    model = model_parts(prepared.reference)
    parts = model.predict(inputs, batch_size=_BATCH, verbose=0)
    return {
        name: rows if name == "features" else tf.nn.softmax(rows).numpy()
        for name, rows in parts.items()
    }


def _is_finite(rows: Tensor) -> bool:
    return not rows.dtype.is_floating or bool(np.isfinite(rows.numpy()).all())
