"""DeiT III settings that depend on the model and the image size.

Source: the commands in README_revenge.md of facebookresearch/deit at commit 7e160fe;
the number beside a row is the line of its command.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from keras_cait.models.published.registry import find_variant
from keras_cait.models.published.saved_models import load_saved_model
from keras_cait.training.settings.presets import Preset
from keras_cait.weights.tensors.variant_detection import variant_name
from keras_cait.weights.timm.names import timm_shapes

# No command was published for M.
_PRETRAINING: Mapping[str, Preset] = {
    "DeiT3_S": {"image_size": 224, "learning_rate": 4e-3},  # 81
    "DeiT3_B": {"image_size": 192, "learning_rate": 3e-3},  # 412
    "DeiT3_L": {"image_size": 192, "learning_rate": 3e-3},  # 745
    # 1078 has 160 pixels, of which the 11 x 11 patches of 14 pixels cover 154.
    "DeiT3_H": {"image_size": 154, "learning_rate": 3e-3},
}

_FINETUNING_DROP_PATH: Mapping[tuple[str, int], float] = {
    ("DeiT3_B", 224): 0.2,  # 1411
    ("DeiT3_L", 224): 0.45,  # 1432
    ("DeiT3_H", 224): 0.55,  # 1453
    ("DeiT3_S", 384): 0.0,  # 1475
    ("DeiT3_B", 384): 0.15,  # 1495
    ("DeiT3_L", 384): 0.4,  # 1515
}


def deit3_training_settings(preset: str, settings: Mapping[str, Any]) -> Preset:
    """Image size and learning rate of the official command that trains a DeiT-III.

    Empty for another preset, and for a model without a published command.

    Example:
        >>> deit3_training_settings("deit3", {"model": "DeiT3_B"})
        {'image_size': 192, 'learning_rate': 0.003}
    """
    if preset != "deit3":
        return {}
    return _PRETRAINING.get(_variant(settings["model"]) or "", {})


def deit3_finetuning_settings(preset: str, settings: Mapping[str, Any]) -> Preset:
    """Stochastic depth of the official command that fine-tunes a DeiT-III at a size.

    Empty for another preset, and without a published command: the model then has the
    same rate as without a preset.

    Example:
        >>> deit3_finetuning_settings("deit3", {"model": "DeiT3_B", "image_size": 384})
        {'drop_path_rate': 0.15}
    """
    if preset != "deit3":
        return {}
    weights = str(settings.get("weights", ""))
    if weights.endswith(".keras"):
        name = _variant_in(Path(weights))
    else:
        name = _variant(settings.get("model"))
    rate = _FINETUNING_DROP_PATH.get((name or "", settings["image_size"]))
    return {} if rate is None else {"drop_path_rate": rate}


def _variant(name: str | None) -> str | None:
    """The builder of a model by name; None for sizes and for unknown names."""
    try:
        return None if name is None else find_variant(name).name
    except ValueError:
        return None


def _variant_in(path: Path) -> str | None:
    """The builder of a saved model; None if it is no published variant."""
    try:
        shapes = timm_shapes(load_saved_model(path))
    except (OSError, ValueError):  # the recipe reports the error of the file
        return None
    return variant_name(shapes)
