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
        ValueError: If the dictionary has other keys, or the logits are of other
            classes.

    Example:
        >>> import numpy as np
        >>> labels, logits = np.array([2]), np.zeros((1, 3))
        >>> targets = {"labels": labels, "teacher_logits": logits}
        >>> [part.shape for part in unpack_targets(targets, classes=3)]
        [(1,), (1, 3)]
        >>> unpack_targets(labels, classes=3)
        (array([2]), None)

    """
    if not isinstance(targets, dict):
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
    return targets[LABELS], logits
