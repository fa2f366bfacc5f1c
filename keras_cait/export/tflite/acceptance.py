"""Acceptance of TFLite files: tolerances by precision, and images for predictions."""

from pathlib import Path

import numpy as np

from keras_cait.export.pipeline.comparison_images import MOST, labels_of
from keras_cait.export.pipeline.preparation import PreparedModel
from keras_cait.export.pipeline.verdict import REPORT_IT
from keras_cait.export.tflite.representative_images import (
    MOST_REPRESENTATIVE,
    representative_images,
)

TOLERANCES = {"float32": 1e-4, "float16": 2e-2, "dynamic": 0.1, "int8": 0.1}
"""Largest relative difference by precision. With 8-bit weights a larger difference is
allowed if the predicted classes stay; see `by_predictions`."""
EIGHT_BITS = ("dynamic", "int8")
ADVICE = {
    "float32": REPORT_IT,
    "float16": 'export it with `precision="float32"`: its weights or '
    "activations may be too large for half precision.",
    "dynamic": 'export it with `precision="float16"` or "float32", or give '
    "`images` that resemble the training images.",
    "int8": "give `representative` images such as the model will see, 100 or more, or "
    'export it with `precision="dynamic"`, which needs none.',
}
"""Remedy for an export that fails, by precision."""


def labeled_inputs(
    prepared: PreparedModel,
    pixels: np.ndarray,
    images: np.ndarray | Path | str | None,
    representative: np.ndarray | Path | str | None,
) -> tuple[np.ndarray, np.ndarray | None]:
    """Inputs for the predictions of an 8-bit export, and their labels if known.

    The representative images, or without them the comparison images.
    """
    source, most = images, MOST
    if representative is not None:
        source, most = representative, MOST_REPRESENTATIVE
        pixels = representative_images(representative, prepared)
    labels = None
    if isinstance(source, Path | str):
        classes = prepared.model.output_shape[-1]
        labels = labels_of(Path(source), classes, prepared.labels, most)
    return prepared.model_inputs(pixels), labels
