"""The public names of the package, with Keras."""

from keras_cait import layers, visualization
from keras_cait.distillation import Distiller, HardDistillation, SoftDistillation
from keras_cait.models.cait import CaiT
from keras_cait.models.classes.names import class_names_of
from keras_cait.models.deit import DeiT
from keras_cait.models.deit3 import DeiT3
from keras_cait.models.features.patch_features import feature_maps, feature_model
from keras_cait.models.logits import separate_heads
from keras_cait.models.published.builders import (
    CaiT_M24,
    CaiT_M36,
    CaiT_M48,
    CaiT_S24,
    CaiT_S36,
    CaiT_S48,
    CaiT_XS24,
    CaiT_XS36,
    CaiT_XXS24,
    CaiT_XXS36,
    DeiT3_B,
    DeiT3_H,
    DeiT3_L,
    DeiT3_M,
    DeiT3_S,
    DeiT_B,
    DeiT_B_Distilled,
    DeiT_S,
    DeiT_S_Distilled,
    DeiT_Ti,
    DeiT_Ti_Distilled,
    RegNetY_16GF,
)
from keras_cait.models.published.imagenet import decode_predictions, preprocess_input
from keras_cait.models.published.preprocessing import preprocessing_for
from keras_cait.models.published.registry import create_model, list_models
from keras_cait.models.teachers.regnet import RegNetY
from keras_cait.preprocessing import Preprocessing
from keras_cait.visualization.attention import attention_maps
from keras_cait.visualization.rollout import attention_rollout
from keras_cait.weights import load_weights, save_timm_weights

__all__ = [
    "CaiT",
    "CaiT_M24",
    "CaiT_M36",
    "CaiT_M48",
    "CaiT_S24",
    "CaiT_S36",
    "CaiT_S48",
    "CaiT_XS24",
    "CaiT_XS36",
    "CaiT_XXS24",
    "CaiT_XXS36",
    "DeiT",
    "DeiT3",
    "DeiT3_B",
    "DeiT3_H",
    "DeiT3_L",
    "DeiT3_M",
    "DeiT3_S",
    "DeiT_B",
    "DeiT_B_Distilled",
    "DeiT_S",
    "DeiT_S_Distilled",
    "DeiT_Ti",
    "DeiT_Ti_Distilled",
    "Distiller",
    "HardDistillation",
    "Preprocessing",
    "RegNetY",
    "RegNetY_16GF",
    "SoftDistillation",
    "attention_maps",
    "attention_rollout",
    "class_names_of",
    "create_model",
    "decode_predictions",
    "feature_maps",
    "feature_model",
    "layers",
    "list_models",
    "load_weights",
    "preprocess_input",
    "preprocessing_for",
    "save_timm_weights",
    "separate_heads",
    "visualization",
]
