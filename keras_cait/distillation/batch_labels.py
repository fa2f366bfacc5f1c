"""Labels of a batch, and the teacher's logits that may come with them."""

from typing import Any

from keras_cait.typing import Tensor

LABELS = "labels"
TEACHER_LOGITS = "teacher_logits"
PADDING_LABEL = -1
"""The label of an image that pads a batch; no log counts it."""


def labels_and_logits(targets: Any, classes: int) -> tuple[Tensor, Tensor | None]:
    """The labels of a batch, and the teacher's logits, `(batch, classes)`, or None.

    Targets are labels, or a dictionary of "labels" and "teacher_logits". Raises
    `ValueError` if they are something else, or of other classes.

    Example:
        >>> import numpy as np
        >>> labels, logits = np.array([2]), np.zeros((1, 3))
        >>> targets = {"labels": labels, "teacher_logits": logits}
        >>> [part.shape for part in labels_and_logits(targets, classes=3)]
        [(1,), (1, 3)]
        >>> labels_and_logits(labels, classes=3)
        (array([2]), None)

    """
    if targets is None:
        raise ValueError(
            "A Distiller must be given labels: fit(images, labels), or batches of "
            "(images, labels). Received: images alone. Where there are none, pass "
            "zeros and distill with alpha=1.0, which leaves the labels to the logs."
        )
    if not isinstance(targets, dict):
        _check_labels(targets, classes)
        return targets, None
    if set(targets) != {LABELS, TEACHER_LOGITS}:
        raise ValueError(
            f'Targets must be labels, or a dictionary of "{LABELS}" and '
            f'"{TEACHER_LOGITS}". Received: a dictionary of {sorted(targets)}.'
        )
    logits = targets[TEACHER_LOGITS]
    if len(logits.shape) != 2 or logits.shape[-1] != classes:
        raise ValueError(
            f'"{TEACHER_LOGITS}" must be (batch, {classes}), a number for each class '
            f"of the student. Received: {tuple(logits.shape)}"
        )
    _check_labels(targets[LABELS], classes)
    return targets[LABELS], logits


def _check_labels(labels: Tensor, classes: int) -> None:
    shape = tuple(labels.shape)
    if len(shape) > 2 or (len(shape) == 2 and shape[1] not in (1, classes, None)):
        raise ValueError(
            "Labels must be the indices of the classes, (batch,), or a number for each "
            f"class of the student, (batch, {classes}). Received: {shape}"
        )
