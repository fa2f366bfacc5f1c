"""Acceptance of TFLite files: tolerances by precision, and labels for predictions."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from keras_cait.export.pipeline.comparison import Comparison
from keras_cait.export.pipeline.comparison_images import labels_of
from keras_cait.export.pipeline.outputs import OF_CLASSES
from keras_cait.export.pipeline.preparation import PreparedModel
from keras_cait.export.pipeline.verdict import (
    REPORT_IT,
    Verdict,
    all_of,
    by_difference,
    by_predictions,
)

TOLERANCES = {"float32": 1e-4, "float16": 2e-2, "dynamic": 0.1, "int8": 0.1}
"""Largest relative difference by precision. With 8-bit weights a larger difference of
an output of classes is allowed if the predictions stay; see `by_predictions`."""
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


def labels_if_known(
    prepared: PreparedModel, source: np.ndarray | Path | str | None, most: int
) -> np.ndarray | None:
    """Class indices of the images that were read from a folder of class folders."""
    if not isinstance(source, Path | str):
        return None
    return labels_of(Path(source), prepared.classes, prepared.labels, most)


def in_eight_bits(
    compared: Mapping[str, Comparison],
    expected: Mapping[str, np.ndarray],
    actual: Mapping[str, np.ndarray],
    labels: np.ndarray | None,
    tolerance: float,
) -> Verdict:
    """Requires the predictions of outputs of classes, the tolerance of all others.

    `compared` are all outputs, `expected` and `actual` those for the images of the
    labels.
    """
    each = {
        name: by_difference({name: row}, tolerance) for name, row in compared.items()
    }
    predicted = [
        by_predictions(
            expected[name], actual[name], labels, is_close=each.pop(name).passed
        )
        for name in OF_CLASSES
        if name in compared
    ]
    return all_of([*predicted, *each.values()])
