"""Comparison of an export with the Keras model, and the latency of an export."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

REPEATS = 20


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Difference between the outputs of two models for the same images."""

    images: int
    largest_difference: float  # absolute
    relative_difference: float  # to the largest output
    top1_agreement: float  # part of the images with the same class, in [0, 1]


def compare(expected: np.ndarray, actual: np.ndarray) -> Comparison:
    """Compares outputs of the Keras model and of its export, `(images, classes)`.

    Raises `ValueError` if the shapes differ, or an output of the export is not finite.
    """
    if expected.shape != actual.shape or not np.isfinite(actual).all():
        raise ValueError(
            f"The export must give finite numbers of shape {expected.shape}. Received: "
            f"shape {actual.shape}, {np.count_nonzero(~np.isfinite(actual))} of them "
            "not finite. Nothing was written."
        )
    difference = float(np.max(np.abs(expected - actual)))
    same_class = expected.argmax(axis=-1) == actual.argmax(axis=-1)
    return Comparison(
        images=len(expected),
        largest_difference=difference,
        relative_difference=difference / max(float(np.max(np.abs(expected))), 1e-30),
        top1_agreement=float(same_class.mean()),
    )


def predict_singly(
    run: Callable[[np.ndarray], np.ndarray], inputs: np.ndarray
) -> np.ndarray:
    """Outputs `(images, classes)` of an export that runs on one image at a time."""
    return np.concatenate([run(image[None]) for image in inputs])


def median_latency(run: Callable[[], Any], repeats: int = REPEATS) -> float:
    """Median duration of a call in milliseconds, after two calls of warm-up."""
    for _ in range(2):  # the first calls compile and allocate
        run()
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - started)
    return 1000 * statistics.median(seconds)
