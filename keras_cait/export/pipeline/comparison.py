"""How near an exported model is to the Keras model, and how fast it is."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

REPEATS = 20


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Outputs of two models for the same images.

    Attributes:
        images: How many.
        largest_difference: Between any two outputs, absolute.
        relative_difference: The same, as a part of the largest output.
        top1_agreement: Part of the images of whose likeliest class both are of one
            mind, in [0, 1].
    """

    images: int
    largest_difference: float
    relative_difference: float
    top1_agreement: float


def compare(expected: np.ndarray, actual: np.ndarray) -> Comparison:
    """Compares what the Keras model says with what its export says.

    Args:
        expected: Of the Keras model in float32, `(images, classes)`.
        actual: Of its export, for the same images.

    Raises:
        ValueError: If the export gives another shape, or what is no number.

    Example:
        >>> compare(np.array([[1.0, 3.0]]), np.array([[1.5, 3.0]]))
        Comparison(images=1, largest_difference=0.5, ..., top1_agreement=1.0)

    """
    if expected.shape != actual.shape or not np.isfinite(actual).all():
        raise ValueError(
            f"The export must give finite numbers of shape {expected.shape}. Received: "
            f"shape {actual.shape}, {np.count_nonzero(~np.isfinite(actual))} of them "
            "not finite. Nothing was kept."
        )
    difference = float(np.max(np.abs(expected - actual)))
    agreeing = expected.argmax(axis=-1) == actual.argmax(axis=-1)
    return Comparison(
        images=len(expected),
        largest_difference=difference,
        relative_difference=difference / max(float(np.max(np.abs(expected))), 1e-30),
        top1_agreement=float(agreeing.mean()),
    )


REPORT_IT = (
    "please report the model and the versions of tensorflow and of the converter."
)


def check_difference(
    found: Comparison, tolerance: float, advice: str = REPORT_IT
) -> None:
    """Refuses an export that says something else than the Keras model.

    Args:
        found: What came out.
        tolerance: Largest relative difference.
        advice: What to do about it, for the error.

    Raises:
        ValueError: If it is larger.

    """
    if not found.relative_difference <= tolerance:
        raise ValueError(
            f"The export must equal the Keras model to {tolerance:g} of its largest "
            f"output. Received: {found.relative_difference:.2g} over {found.images} "
            f"images. Nothing was kept; {advice}"
        )


def measure(
    run: Callable[[np.ndarray], np.ndarray],
    inputs: np.ndarray,
    expected: np.ndarray,
    tolerance: float,
    advice: str = REPORT_IT,
) -> tuple[Comparison, float]:
    """Runs an export image by image, compares and times it.

    `answers` gives its outputs alone.

    Args:
        run: The export: images `(1, height, width, channels)` to `(1, classes)`.
        inputs: `(images, height, width, channels)`.
        expected: What the Keras model gives for them, `(images, classes)`.
        tolerance: Largest relative difference.
        advice: What to do about a larger one, for the error.

    Returns:
        How near it is, and its latency in milliseconds an image.

    Raises:
        ValueError: If the difference is larger.

    Example:
        >>> images = np.ones((2, 4, 4, 3))
        >>> found, _ = measure(
        ...     lambda image: image.sum(axis=(1, 2)), images, 16 * images[:, 0, 0], 1e-4
        ... )
        >>> found.images, found.relative_difference
        (2, 0.0)

    """
    found = compare(expected, answers(run, inputs))
    check_difference(found, tolerance, advice)
    return found, median_latency(lambda: run(inputs[:1]))


def answers(run: Callable[[np.ndarray], np.ndarray], inputs: np.ndarray) -> np.ndarray:
    """What an export gives image by image, `(images, classes)`."""
    return np.concatenate([run(image[None]) for image in inputs])


def median_latency(run: Callable[[], Any], repeats: int = REPEATS) -> float:
    """Milliseconds that a call takes: the median of `repeats`, after two more."""
    for _ in range(2):  # the first ones compile and allocate
        run()
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - started)
    return 1000 * statistics.median(seconds)
