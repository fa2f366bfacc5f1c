"""Distillation losses: a student's disagreement with its teacher, per example."""

from typing import Any, Literal

import keras
from keras import ops

from keras_cait.layers.precision import float32_or_wider
from keras_cait.typing import Tensor


class DistillationLoss:
    """Base of the distillation losses: a pure function with a configuration.

    A subclass maps the logits of both, `(batch, classes)`, to one number an
    example, `(batch,)`. It does not depend on models, heads or the batch's size.
    """

    def __call__(self, teacher_logits: Tensor, student_logits: Tensor) -> Tensor:
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """The arguments of `__init__`."""
        raise NotImplementedError

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "DistillationLoss":
        """The same loss from `get_config()`."""
        return cls(**config)

    def __repr__(self) -> str:
        arguments = ", ".join(f"{k}={v!r}" for k, v in self.get_config().items())
        return f"{type(self).__name__}({arguments})"


@keras.saving.register_keras_serializable(package="keras_cait")
class HardDistillation(DistillationLoss):
    """Cross-entropy against the class that the teacher predicts.

    `-log softmax(student)[argmax(teacher)]`; with `label_smoothing` that target
    shares `label_smoothing` evenly among all classes.

    Args:
        label_smoothing: Part of the target that all classes share, in [0, 1).
            The official code has 0; the paper mentions 0.1.

    Call arguments:
        teacher_logits: `(batch, classes)`.
        student_logits: `(batch, classes)`.

    Returns:
        `(batch,)`, at least float32.

    Raises:
        ValueError: If `label_smoothing` is outside [0, 1).

    Example:
        >>> import numpy as np
        >>> loss = HardDistillation()(np.array([[0., 9.]]), np.array([[1., 1.]]))
        >>> round(float(loss[0]), 4)
        0.6931

    Reference:
        Touvron et al., Training data-efficient image transformers & distillation
        through attention, section 4, eq. 3, https://arxiv.org/abs/2012.12877

    """

    def __init__(self, *, label_smoothing: float = 0.0) -> None:
        if not 0 <= label_smoothing < 1:
            raise ValueError(
                "`label_smoothing` must be in [0, 1). "
                f"Received: label_smoothing={label_smoothing}"
            )
        self.label_smoothing = label_smoothing

    def __call__(self, teacher_logits: Tensor, student_logits: Tensor) -> Tensor:
        log_student = ops.log_softmax(_wide(student_logits), axis=-1)
        target = ops.one_hot(
            ops.argmax(teacher_logits, axis=-1),
            log_student.shape[-1],
            dtype=log_student.dtype,
        )
        if self.label_smoothing:
            shared = self.label_smoothing / log_student.shape[-1]
            target = (1 - self.label_smoothing) * target + shared
        return -ops.sum(target * log_student, axis=-1)

    def get_config(self) -> dict[str, Any]:
        return {"label_smoothing": self.label_smoothing}


@keras.saving.register_keras_serializable(package="keras_cait")
class SoftDistillation(DistillationLoss):
    """Kullback-Leibler divergence between softened predictions.

    `temperature**2 * KL(softmax(teacher / temperature) ||
    softmax(student / temperature))`.

    Args:
        temperature: Divisor of the logits of both, above 0. The paper has 3.
        reduction: "batchmean" is the paper's formula: the mean over a batch is
            the divergence an example. "numel" also divides by the number of
            classes, as the official code does, which makes the term so small
            that alpha has to be far higher.

    Call arguments:
        teacher_logits: `(batch, classes)`.
        student_logits: `(batch, classes)`.

    Returns:
        `(batch,)`, at least float32.

    Raises:
        ValueError: If `temperature` is not above 0 or `reduction` is unknown.

    Example:
        >>> import numpy as np
        >>> teacher, student = np.array([[0., 2.]]), np.array([[0., 0.]])
        >>> round(float(SoftDistillation(temperature=1.0)(teacher, student)[0]), 4)
        0.3278

    Reference:
        Touvron et al., Training data-efficient image transformers & distillation
        through attention, section 4, eq. 2, https://arxiv.org/abs/2012.12877

    """

    def __init__(
        self,
        *,
        temperature: float = 3.0,
        reduction: Literal["batchmean", "numel"] = "batchmean",
    ) -> None:
        if not temperature > 0:
            raise ValueError(
                f"`temperature` must be above 0. Received: temperature={temperature}"
            )
        if reduction not in ("batchmean", "numel"):
            raise ValueError(
                '`reduction` must be "batchmean" or "numel". '
                f"Received: reduction={reduction!r}"
            )
        self.temperature = temperature
        self.reduction = reduction

    def __call__(self, teacher_logits: Tensor, student_logits: Tensor) -> Tensor:
        log_teacher = ops.log_softmax(_wide(teacher_logits) / self.temperature, axis=-1)
        log_student = ops.log_softmax(_wide(student_logits) / self.temperature, axis=-1)
        terms = ops.exp(log_teacher) * (log_teacher - log_student)
        reduce = ops.mean if self.reduction == "numel" else ops.sum
        return reduce(terms, axis=-1) * self.temperature**2

    def get_config(self) -> dict[str, Any]:
        return {"temperature": self.temperature, "reduction": self.reduction}


def get_distillation_loss(
    identifier: "str | DistillationLoss",
) -> DistillationLoss | None:
    """The loss for "hard", "soft", "none" or a loss object; None for "none"."""
    if isinstance(identifier, DistillationLoss):
        return identifier
    if identifier == "hard":
        return HardDistillation()
    if identifier == "soft":
        return SoftDistillation()
    if identifier == "none":
        return None
    raise ValueError(
        '`distillation` must be "hard", "soft", "none" or a distillation loss '
        "such as SoftDistillation(temperature=3.0). "
        f"Received: distillation={identifier!r}"
    )


def _wide(logits: Tensor) -> Tensor:
    """Float32 or wider: half precision loses what a softmax compares."""
    logits = ops.convert_to_tensor(logits)
    return ops.cast(logits, float32_or_wider(logits.dtype))
