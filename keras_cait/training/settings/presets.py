"""Presets for less data than ImageNet. The papers' presets are in `recipes`.

The values were found by experiment; no paper has them.
"""

from collections.abc import Mapping
from typing import Any

Preset = Mapping[str, Any]
"""Settings by name. Other settings have their default, which is DeiT's."""

_SMALL: Preset = {
    "scale_learning_rate": False,
    "rate_per_step": True,
    "crop": "none",
    "augment": "none",
    "erasing": 0.0,
    "mixup": 0.0,
    "cutmix": 0.0,
    "smoothing": 0.0,
    "repeats": 1,
    "flip": False,  # a mirrored digit is another symbol
    "learning_rate": 2e-3,
    "final_learning_rate": 2e-5,
}

DIGITS: Preset = {
    **_SMALL,
    "epochs": 60,
    "batch_size": 32,
    "warmup_epochs": 6,
    "shift": 0.15,
    "rotation": 15.0,
    "zoom": 0.2,
}

THUMBNAILS: Preset = {
    **_SMALL,
    "epochs": 5,
    "batch_size": 64,
    "warmup_epochs": 1,
    "crop": "padded",
    "flip": True,
}

# The user's own photographs on one GPU: fewer epochs and smaller batches than on
# ImageNet. An average with decay 0.99996 spans 25,000 steps, more than there are.
PHOTOGRAPHS: Preset = {
    "epochs": 100,
    "batch_size": 64,
    "crop_pct": None,
    "ema": None,
}

# Every part of DeiT's recipe, on digits, in the shortest training that runs.
SMOKE: Preset = {
    "dataset": "digits",
    "image_size": 32,
    "epochs": 8,
    "warmup_epochs": 1,
    "rate_per_step": True,
    "batch_size": 64,
    "scale_learning_rate": False,
    "learning_rate": 2e-3,
    "ema": 0.95,
}


# Sizes of the models that these presets train.
_SIZES = {
    "digits": "embed_dim=64,depth=4,num_heads=4,patch_size=4",
    "thumbnails": "embed_dim=64,depth=6,num_heads=4,patch_size=4",
    "smoke": "embed_dim=48,depth=2,num_heads=4,patch_size=8",
}


def training_presets(imagenet: Preset) -> dict[str, Preset]:
    """Presets of a recipe that trains on labels, from the settings of its paper."""
    return {
        "photographs": {**imagenet, **PHOTOGRAPHS},
        "thumbnails": {**THUMBNAILS, "model": _SIZES["thumbnails"]},
        "digits": {**DIGITS, "model": _SIZES["digits"]},
        "smoke": {**SMOKE, "model": _SIZES["smoke"]},
    }


def distillation_presets(imagenet: Preset) -> dict[str, Preset]:
    """Presets of a recipe that distills; see `training_presets`."""
    # A student this small learns more from the probabilities of its teacher than from
    # the teacher's most likely class, which nearly always is the label.
    soft: Preset = {"teacher": "convnet", "distillation": "soft"}
    return {
        "photographs": {
            **imagenet,
            **PHOTOGRAPHS,
            "baseline": True,
            "teacher": "convnet",
            "teacher_blocks": 2,
        },
        "thumbnails": {
            **THUMBNAILS,
            "student": _SIZES["thumbnails"],
            **soft,
            "teacher_epochs": 8,
            "teacher_learning_rate": 4e-3,
            "teacher_widths": "16,32,64",
        },
        "digits": {
            **DIGITS,
            "student": _SIZES["digits"],
            **soft,
            "teacher_epochs": 30,
            "teacher_learning_rate": 2e-3,
            "teacher_widths": "32,64",
        },
        "smoke": {
            **SMOKE,
            "student": _SIZES["smoke"],
            "teacher": "convnet",
            "teacher_epochs": 3,
            "teacher_widths": "16,32",
        },
    }


FINETUNING_PRESETS: Mapping[str, Preset] = {
    "photographs": {
        "epochs": 20,
        "batch_size": 64,
        "scale_learning_rate": False,
        "learning_rate": 1e-4,
        "repeats": 1,
        "warmup_epochs": 1,
    },
    "thumbnails": {**THUMBNAILS, "epochs": 10},
    "digits": {**DIGITS, "epochs": 20, "warmup_epochs": 2},
    "smoke": {
        **SMOKE,
        "model": "DeiT_Ti_Distilled",
        "weights": "none",
        "epochs": 2,
        "limit": 64,
        "batch_size": 16,
    },
}


def preset_for_side(side: int) -> str:
    """Name of the preset for images whose shorter side has this many pixels.

    Example:
        >>> preset_for_side(8), preset_for_side(32), preset_for_side(224)
        ('digits', 'thumbnails', 'photographs')

    """
    if side <= 16:
        return "digits"
    return "thumbnails" if side <= 64 else "photographs"
