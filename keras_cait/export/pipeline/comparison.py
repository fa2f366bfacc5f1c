"""Comparison of an export with the Keras model, and the latency of an export."""

import dataclasses
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from keras_cait.export.pipeline.outputs import OF_CLASSES
from keras_cait.terminal.steps import counted_step

REPEATS = 20


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Difference between the outputs of two models for the same images."""

    images: int
    largest_difference: float  # absolute
    relative_difference: float  # to the largest value of the output
    # Part of the images with the same class, in [0, 1]; None for other outputs.
    top1_agreement: float | None


@dataclass(frozen=True, kw_only=True)
class OutputComparison(Comparison):
    """Difference between one output of two models."""

    shape: tuple[int, ...]  # for one image


_Comparison = TypeVar("_Comparison", bound=Comparison)


def compare(
    expected: np.ndarray,
    actual: np.ndarray,
    name: str = "probabilities",
    *,
    of_classes: bool = True,
) -> OutputComparison:
    """Compares an output of the Keras model with that of its export, `(images, ...)`.

    The last axis is that of the classes if `of_classes`. Raises `ValueError` if the
    shapes differ, or an output of the export is not finite.
    """
    if expected.shape != actual.shape or not np.isfinite(actual).all():
        raise ValueError(
            f"The export must give finite numbers of shape {expected.shape} as {name}. "
            f"Received: shape {actual.shape}, {np.count_nonzero(~np.isfinite(actual))} "
            "of them not finite. Nothing was written."
        )
    difference = float(np.max(np.abs(expected - actual)))
    agreement = None
    if of_classes:
        agreement = float((expected.argmax(-1) == actual.argmax(-1)).mean())
    return OutputComparison(
        images=len(expected),
        largest_difference=difference,
        relative_difference=difference / max(float(np.max(np.abs(expected))), 1e-30),
        top1_agreement=agreement,
        shape=expected.shape[1:],
    )


def compare_outputs(
    expected: Mapping[str, np.ndarray], actual: Mapping[str, np.ndarray]
) -> dict[str, OutputComparison]:
    """Compares all outputs, in the order of the expected ones.

    Raises `ValueError` if the names differ, or as `compare`.
    """
    if expected.keys() != actual.keys():
        raise ValueError(
            f"The export must give {', '.join(expected)}. Received: "
            f"{', '.join(actual)}. Nothing was written."
        )
    return {
        name: compare(rows, actual[name], name, of_classes=name in OF_CLASSES)
        for name, rows in expected.items()
    }


def worst(found: Sequence[_Comparison]) -> _Comparison:
    """The largest differences of several comparisons, and the lowest agreement."""
    agreements = [x.top1_agreement for x in found if x.top1_agreement is not None]
    return dataclasses.replace(
        found[0],
        images=min(each.images for each in found),
        largest_difference=max(each.largest_difference for each in found),
        relative_difference=max(each.relative_difference for each in found),
        top1_agreement=min(agreements, default=None),
    )


def predict_singly(
    run: Callable[[np.ndarray], Mapping[str, np.ndarray]], inputs: np.ndarray
) -> dict[str, np.ndarray]:
    """Outputs `(images, ...)` of an export that runs on one image at a time."""
    rows = []
    with counted_step("running the export", len(inputs)) as advance:
        for image in inputs:
            rows.append(run(image[None]))
            advance()
    return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}


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
