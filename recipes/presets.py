"""Named settings: the papers', and what suits small images, found by trying."""

from collections.abc import Mapping
from typing import Any

Preset = Mapping[str, Any]
"""Settings by name; what is not in it stays at the defaults, which are DeiT's."""

# The official code measures DeiT on 0.875 of the side, timm on 0.9.
DEIT: Preset = {"crop_pct": 0.875}

CAIT: Preset = {"epochs": 400}

DEIT3: Preset = {
    "epochs": 800,
    "batch_size": 2048,
    "optimizer": "lamb",
    "learning_rate": 3e-3,  # 4e-3 for S
    "scale_learning_rate": False,
    "clip_norm": 1.0,  # as FusedLAMB does unless told otherwise
    "loss": "sigmoid",
    "augment": "3a",
    "erasing": 0.0,
    "smoothing": 0.0,
    "crop_pct": 1.0,
}

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
    "flip": False,
}

# Images of handwriting must not be mirrored.
DIGITS: Preset = {
    **_SMALL,
    "model": "embed_dim=64,depth=4,num_heads=4,patch_size=4",
    "epochs": 60,
    "batch_size": 32,
    "learning_rate": 2e-3,
    "final_learning_rate": 2e-5,
    "warmup_epochs": 6,
    "shift": 0.15,
    "rotation": 15.0,
    "zoom": 0.2,
}

THUMBNAILS: Preset = {
    **_SMALL,
    "model": "embed_dim=64,depth=6,num_heads=4,patch_size=4",
    "epochs": 5,
    "batch_size": 64,
    "learning_rate": 2e-3,
    "final_learning_rate": 2e-5,
    "warmup_epochs": 1,
    "crop": "padded",
    "flip": True,
}

# For photographs of one's own, on one GPU: fewer passes and smaller steps.
PHOTOGRAPHS: Preset = {"epochs": 100, "batch_size": 64, "crop_pct": None}

# Every part of the papers' recipe, on digits, and as little of it as runs.
SMOKE: Preset = {
    "model": "embed_dim=48,depth=2,num_heads=4,patch_size=8",
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


def without_model(preset: Preset) -> Preset:
    """A preset for a model that is chosen otherwise."""
    return {name: value for name, value in preset.items() if name != "model"}


# Fine-tuning, as authors published it or answered when asked.
_TRANSFER: Preset = {  # facebookresearch/dino, issues 81 and 144: a model of B's size
    "image_size": 224,
    "epochs": 1000,
    "batch_size": 768,
    "scale_learning_rate": False,
    "learning_rate": 7.5e-6,
    "drop_path_rate": 0.1,
}
FINETUNING: Mapping[str, Preset] = {
    "deit-384": {  # facebookresearch/deit, README: DeiT-B from 224 to 384 pixels
        "image_size": 384,
        "epochs": 30,
        "batch_size": 512,
        "learning_rate": 5e-6,
        "final_learning_rate": 5e-6,
        "weight_decay": 1e-8,
    },
    "deit-ti-384": {  # facebookresearch/deit, issue 120
        "image_size": 384,
        "epochs": 30,
        "batch_size": 512,
        "learning_rate": 1e-5,
    },
    "deit3": {  # facebookresearch/deit, README_revenge
        "epochs": 20,
        "batch_size": 512,
        "scale_learning_rate": False,
        "learning_rate": 1e-5,
        "weight_decay": 0.1,
        "repeats": 1,
        "crop_pct": 1.0,
    },
    "cait-m48-448": {  # facebookresearch/deit, issue 108; with --teacher
        "image_size": 448,
        "epochs": 60,
        "batch_size": 256,
        "scale_learning_rate": False,
        "learning_rate": 5e-6,
        # He named both numbers; timm's default schedule, cosine, would ignore them.
        "schedule": "decay",
        "decay_epochs": 10,
        "decay_rate": 0.5,
        "drop_path_rate": 0.3,
    },
    "cifar10": _TRANSFER,
    "cifar100": {**_TRANSFER, "learning_rate": 5e-6},
    "cifar10-sgd": {  # facebookresearch/deit, issue 45; cars likewise
        **_TRANSFER,
        "optimizer": "sgd",
        "learning_rate": 0.01,
        "weight_decay": 1e-4,
        "erasing": 0.0,
        "drop_path_rate": 0.0,
    },
    "inaturalist": {  # facebookresearch/deit, issues 105 and 141
        "image_size": 224,
        "epochs": 360,
        "batch_size": 768,
        "scale_learning_rate": False,
        "learning_rate": 7.5e-5,
        "erasing": 0.1,
        "drop_path_rate": 0.1,
    },
    # Of one's own images, on one GPU or a laptop.
    "photographs": {
        "epochs": 20,
        "batch_size": 64,
        "scale_learning_rate": False,
        "learning_rate": 1e-4,
        "repeats": 1,
        "warmup_epochs": 1,
    },
    "thumbnails": {**without_model(THUMBNAILS), "epochs": 10},
    "digits": {**without_model(DIGITS), "epochs": 20, "warmup_epochs": 2},
    "smoke": {
        **SMOKE,
        "model": "DeiT_Ti_Distilled",
        "weights": "none",
        "epochs": 2,
        "limit": 64,
        "batch_size": 16,
    },
}


def size_of(image_side: int) -> str:
    """What images whose shorter side is so many pixels are called here.

    Example:
        >>> size_of(8), size_of(32), size_of(224)
        ('digits', 'thumbnails', 'photographs')

    """
    if image_side <= 16:
        return "digits"
    return "thumbnails" if image_side <= 64 else "photographs"
