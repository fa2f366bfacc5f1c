"""Predictions of a classifier for image files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track

from keras_cait.cli.images.classifier import ImageClassifier
from keras_cait.data.image_files import printable
from keras_cait.models.published.imagenet import decode_predictions

_BATCH = 16  # images
_TOP = 5


def predictions(
    classifier: ImageClassifier, paths: Sequence[Path], *, top: int | None = None
) -> list[dict[str, Any]]:
    """The most probable classes of each file, with names where they are known.

    Without `top` they are five, or all of a model with fewer. A terminal shows the time
    left, from the second batch on.
    """
    classes = classifier.model.output_shape[-1]
    if top is None:
        top = min(_TOP, classes)
    labels = classifier.labels
    if labels is None and classes != 1000:
        labels = tuple(f"class {index}" for index in range(classes))
    console = Console(stderr=True)
    batches = track(
        classifier.batches(paths, _BATCH),
        "predicting",
        total=-(-len(paths) // _BATCH),
        console=console,
        disable=len(paths) <= _BATCH or not console.is_terminal,
        transient=True,
    )
    rows = [
        row
        for pixels in batches
        for row in decode_predictions(
            classifier.probabilities(pixels), top=top, class_names=labels
        )
    ]
    return [
        {
            "image": printable(path),
            "classes": [
                {"id": id_, "name": name, "probability": round(probability, 6)}
                for id_, name, probability in row
            ],
        }
        for path, row in zip(paths, rows, strict=True)
    ]
