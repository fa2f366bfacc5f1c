"""CaiT and DeiT for Keras 3: models, distillation and what goes with them."""

from keras_cait import layers
from keras_cait.distillation import Distiller, HardDistillation, SoftDistillation
from keras_cait.models.builders import (
    DeiT_B,
    DeiT_B_Distilled,
    DeiT_S,
    DeiT_S_Distilled,
    DeiT_Ti,
    DeiT_Ti_Distilled,
)
from keras_cait.models.deit import DeiT
from keras_cait.models.outputs import separate_heads
from keras_cait.weights import load_weights, save_timm_weights

__version__ = "0.1.0"

__all__ = [
    "DeiT",
    "DeiT_B",
    "DeiT_B_Distilled",
    "DeiT_S",
    "DeiT_S_Distilled",
    "DeiT_Ti",
    "DeiT_Ti_Distilled",
    "Distiller",
    "HardDistillation",
    "SoftDistillation",
    "layers",
    "load_weights",
    "save_timm_weights",
    "separate_heads",
]
