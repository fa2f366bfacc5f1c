"""What a student is taught besides labels."""

from dataclasses import dataclass
from typing import Any

import keras

from keras_cait.distillation import Distiller, SoftDistillation
from keras_cait.training.teachers.teacher import Teacher


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """What a teacher gives a student.

    Attributes:
        teacher: Who teaches, from `make_teacher`, trained.
        distillation: "hard" or "soft".
        alpha: Weight of the distillation loss, in [0, 1].
        temperature: Of soft distillation.
    """

    teacher: Teacher
    distillation: str
    alpha: float
    temperature: float = 3.0


def distiller_of(model: keras.Model, lesson: Lesson | None) -> Distiller:
    """The model with its teacher, if it has one, before it is compiled."""
    if lesson is None:
        return Distiller(model, distillation="none")
    loss: Any = lesson.distillation
    if loss == "soft":
        loss = SoftDistillation(temperature=lesson.temperature)
    teacher = lesson.teacher
    return Distiller(model, teacher.model, loss, lesson.alpha, teacher.preprocessing)
