"""Predictions of a classifier for image files."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track

from keras_cait.cli.classifier import ImageClassifier
from keras_cait.models.published.imagenet import decode_predictions

_BATCH = 16  # images


def predictions(
    classifier: ImageClassifier, paths: Sequence[Path], *, top: int
) -> list[dict[str, Any]]:
    """The most probable classes of each file, with names where they are known.

    A terminal shows the time left, from the second batch on.
    """
    classes = classifier.model.output_shape[-1]
    labels = classifier.labels
    if labels is None and classes != 1000:
        labels = tuple(f"class {index}" for index in range(classes))
    found: list[dict[str, Any]] = []
    batches = [paths[n : n + _BATCH] for n in range(0, len(paths), _BATCH)]
    for batch in _with_progress(batches):
        pixels = np.stack([classifier.read(path) for path in batch])
        rows = decode_predictions(
            classifier.probabilities(pixels), top=top, class_names=labels
        )
        for path, row in zip(batch, rows, strict=True):
            best = [
                {"id": id_, "name": name, "probability": round(probability, 6)}
                for id_, name, probability in row
            ]
            found.append({"image": str(path), "classes": best})
    return found


def _with_progress(batches: Sequence[Any]) -> Iterable[Any]:
    """The batches; a terminal shows the time left."""
    console = Console(stderr=True)
    silent = len(batches) < 2 or not console.is_terminal
    return track(batches, "predicting", console=console, disable=silent, transient=True)
