"""Distillation: the objective, and the model that trains with it."""

from keras_cait.distillation.distiller import Distiller
from keras_cait.distillation.losses import HardDistillation, SoftDistillation

__all__ = ["Distiller", "HardDistillation", "SoftDistillation"]
