"""Holds what a SavedModel gives against the Keras model it was made of."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_cait.data.images.evaluation_transform import EvaluationView
from keras_cait.export.pipeline.comparison import Comparison, check_difference, compare
from keras_cait.export.pipeline.preparation import Prepared
from keras_cait.export.saved_model.signatures import model_parts
from keras_cait.export.saved_model.warmup import read_warmup
from keras_cait.typing import Tensor

TOLERANCE = 1e-4  # of the largest output of a signature
_BATCH = 8  # images that the Keras model sees together
_OUTPUTS = {"features": ("features",), "heads": ("class", "distillation")}

Loaded = Mapping[str, tf.types.experimental.ConcreteFunction]
"""Signatures of a SavedModel as TensorFlow loads them, by name."""


def check_signatures(
    loaded: Loaded,
    prepared: Prepared,
    view: EvaluationView,
    pixels: np.ndarray,
    file: bytes,
) -> Comparison:
    """Compares all that the loaded model gives with what the Keras model does.

    Args:
        loaded: All signatures.
        prepared: What was exported.
        view: What the Keras model is shown of an image.
        pixels: Images to ask all signatures for, `(images, height, width, channels)`
            uint8; `serving_default` gets them as PNG.
        file: A JPEG, which `serving_default` gets besides.

    Returns:
        The largest differences of all signatures, and the worst agreement.

    Raises:
        ValueError: If one differs by more than 1e-4 of its largest output, or names
            another class than it scores.

    """
    views = [view(tf.constant(image)) for image in (*pixels, file)]
    inputs = prepared.normalized(np.stack(views))
    expected = prepared.expected(inputs)
    number = len(pixels)
    images = tf.constant(pixels, "float32")

    answers = loaded["probabilities"](images=images)["probabilities"].numpy()
    found = [compare(expected[:number], answers)]
    files = tf.stack([*(tf.io.encode_png(image) for image in pixels), file])
    best = loaded["serving_default"](images=files)
    found += _compared_best(best, expected, prepared.labels)
    agreement = min(one.top1_agreement for one in found)

    parts = _parts(prepared, inputs[:number])
    for signature in _OUTPUTS.keys() & loaded.keys():
        answers = loaded[signature](images=images)
        found += [
            compare(parts[name], answers[name].numpy()) for name in _OUTPUTS[signature]
        ]
    for one in found:
        check_difference(one, TOLERANCE)
    return dataclasses.replace(
        found[0],
        largest_difference=max(one.largest_difference for one in found),
        relative_difference=max(one.relative_difference for one in found),
        top1_agreement=agreement,
    )


def check_warmup(folder: Path, loaded: Loaded) -> None:
    """Answers the requests that a server warms up with, as it does.

    Raises:
        ValueError: If a signature has none, or gives no finite answer to it.

    """
    requests = read_warmup(folder)
    names = [request.model_spec.signature_name for request in requests]
    if sorted(names) != sorted(loaded):
        raise ValueError(
            f"There must be a warm-up request for each of {sorted(loaded)}. "
            f"Received: {names}. Nothing was kept."
        )
    for name, request in zip(names, requests, strict=True):
        images = tf.make_ndarray(request.inputs["images"])
        try:
            answer = loaded[name](images=tf.constant(images))
        except tf.errors.OpError as error:
            raise ValueError(
                f"The export must answer its warm-up requests. Received: {error} of "
                f"{name!r}. Nothing was kept."
            ) from error
        for output, rows in answer.items():
            if len(rows) != len(images) or not _is_finite(rows):
                raise ValueError(
                    "The export must answer its warm-up requests. Received: "
                    f"{output!r} of {name!r}, of shape {rows.shape} for {len(images)} "
                    "images, or numbers that are not finite. Nothing was kept."
                )


def _compared_best(
    best: Mapping[str, Tensor], expected: np.ndarray, labels: tuple[str, ...] | None
) -> list[Comparison]:
    """Scores: of the classes that they are said to be of, and as the largest."""
    indices, scores = best["indices"].numpy(), best["scores"].numpy()
    if labels is not None:
        wanted = np.array([label.encode() for label in labels], object)[indices]
        said = best["classes"].numpy()
        if not np.array_equal(said, wanted):
            row, column = np.argwhere(said != wanted)[0]
            raise ValueError(
                f"The export must name class {indices[row, column]} "
                f"{wanted[row, column]!r}. Received: {said[row, column]!r}. Nothing "
                "was kept."
            )
    of_these = np.take_along_axis(expected, indices, axis=-1)
    largest = -np.sort(-expected, axis=-1)[:, : scores.shape[1]]
    return [compare(of_these, scores), compare(largest, scores)]


def _parts(prepared: Prepared, inputs: np.ndarray) -> dict[str, np.ndarray]:
    """What the Keras model gives for the signatures of numbers, by output."""
    model = model_parts(prepared.reference)
    batches = [
        model(inputs[start : start + _BATCH], training=False)
        for start in range(0, len(inputs), _BATCH)
    ]
    parts = {
        name: np.concatenate([one[name] for one in batches]) for name in batches[0]
    }
    return {
        name: rows if name == "features" else tf.nn.softmax(rows).numpy()
        for name, rows in parts.items()
    }


def _is_finite(rows: Tensor) -> bool:
    return not rows.dtype.is_floating or bool(np.isfinite(rows.numpy()).all())
