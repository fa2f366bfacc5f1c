"""Teacher and loss of a distillation."""

from dataclasses import dataclass
from typing import Any

import keras

from keras_cait.distillation import Distiller, SoftDistillation
from keras_cait.training.teachers.teacher import Teacher


@dataclass(frozen=True, kw_only=True)
class DistillationSetup:
    """Teacher and loss of a distillation."""

    teacher: Teacher
    distillation: str  # "hard" or "soft"
    alpha: float  # weight of the distillation loss, in [0, 1]
    temperature: float = 3.0  # of soft distillation


def make_distiller(student: keras.Model, setup: DistillationSetup | None) -> Distiller:
    """The training model of a student; without `setup` it has no teacher."""
    if setup is None:
        return Distiller(student, distillation="none")
    loss: Any = setup.distillation
    if loss == "soft":
        loss = SoftDistillation(temperature=setup.temperature)
    teacher = setup.teacher
    return Distiller(student, teacher.model, loss, setup.alpha, teacher.preprocessing)
