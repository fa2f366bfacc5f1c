"""What a batch brings to learn from: labels, and perhaps the teacher's logits."""

from typing import Any

from keras_cait.typing import Tensor

LABELS = "labels"
TEACHER_LOGITS = "teacher_logits"
FILLING = -1
"""The label of an image that only fills a batch up; no log counts it."""


def unpack_targets(targets: Any, classes: int) -> tuple[Tensor, Tensor | None]:
    """The labels of a batch, and what a teacher said of it, if that came along.

    Args:
        targets: Labels, or a dictionary of "labels" and "teacher_logits", those
            `(batch, classes)`.
        classes: Number of classes of the student.

    Returns:
        The labels, and the logits or None.

    Raises:
        ValueError: If there are no labels, the dictionary has other keys, or labels
            or logits are of other classes.

    Example:
        >>> import numpy as np
        >>> labels, logits = np.array([2]), np.zeros((1, 3))
        >>> targets = {"labels": labels, "teacher_logits": logits}
        >>> [part.shape for part in unpack_targets(targets, classes=3)]
        [(1,), (1, 3)]
        >>> unpack_targets(labels, classes=3)
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
