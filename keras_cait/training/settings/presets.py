"""Named settings: the papers', and what suits small images, found by trying."""

from collections.abc import Mapping
from typing import Any

Preset = Mapping[str, Any]
"""Settings by name; what is not in it stays at the defaults, which are DeiT's."""

# Sources: "main.py:82" and the like are lines of facebookresearch/deit at commit
# 7e160fe, "deit#45" and "dino#81" issues of facebookresearch's repositories in which
# an author of the papers answers. The defaults of `TrainingSettings` are those of
# main.py:32-188, with 16 GPUs of 64 images (README_deit.md:233).

# main.py:51-52: every official run keeps this average, unless told otherwise, and
# saves it beside the weights that are evaluated (main.py:441-447).
_AVERAGED: Preset = {"ema": 0.99996}

# The official code measures DeiT on 0.875 of the side (main.py:174), timm on 0.9.
_CROP: Preset = {"crop_pct": 0.875}

DEIT: Preset = {**_AVERAGED, **_CROP}  # README_deit.md:216

# CaiT, section 4; deit#104, deit#108: else as DeiT, drop path from the paper's table.
# README_cait.md:52: the whole image is measured, as the models have it by default.
CAIT: Preset = {**_AVERAGED, "epochs": 400}

DEIT3: Preset = {  # README_revenge.md:81, 412, 745, 1078; by_model.py has the rest
    **_AVERAGED,
    "epochs": 800,
    "batch_size": 2048,
    "optimizer": "lamb",
    "learning_rate": 3e-3,
    "scale_learning_rate": False,
    "clip_norm": 1.0,  # as apex's FusedLAMB does unless told otherwise
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

# For photographs of one's own, on one GPU: fewer passes and smaller steps, too few
# for an average over 25,000 of them.
PHOTOGRAPHS: Preset = {
    "epochs": 100,
    "batch_size": 64,
    "crop_pct": None,
    "ema": None,
}

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


# Fine-tuning, as authors published it or answered when asked. `final_learning_rate`
# stays at 1e-5 where no other is named, also above the peak: deit#117.
_DEIT_384: Preset = {
    **_AVERAGED,
    **_CROP,
    "image_size": 384,
    "epochs": 30,
    "batch_size": 512,
    # Commit e6fd5c2 fine-tunes in evaluation mode, without stochastic depth.
    "drop_path_rate": 0.0,
}
_TRANSFER: Preset = {  # dino#81 and dino#144: a model of B's size
    **_AVERAGED,
    **_CROP,
    "image_size": 224,
    "epochs": 1000,
    "batch_size": 768,
    "scale_learning_rate": False,
    "learning_rate": 7.5e-6,
    "drop_path_rate": 0.1,
}
FINETUNING: Mapping[str, Preset] = {
    "deit-384": {  # README_deit.md:246: DeiT-B from 224 to 384 pixels
        **_DEIT_384,
        "learning_rate": 5e-6,
        "final_learning_rate": 5e-6,
        "weight_decay": 1e-8,
    },
    # deit#120: all as by default, and this rate to start with.
    "deit-ti-384": {**_DEIT_384, "learning_rate": 1e-5},
    # README_revenge.md:1411-1515; drop path by model and size in by_model.py. In
    # training mode (main.py:428, deit#167).
    "deit3": {
        **_AVERAGED,
        "image_size": 224,
        "epochs": 20,
        "batch_size": 512,
        "scale_learning_rate": False,
        "learning_rate": 1e-5,
        "weight_decay": 0.1,
        "erasing": 0.0,
        "repeats": 1,
        "crop_pct": 1.0,
    },
    "cait-m48-448": {  # deit#108; with --teacher
        **_AVERAGED,
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
    "cifar10": _TRANSFER,  # dino#81
    "cifar100": {**_TRANSFER, "learning_rate": 5e-6},  # dino#144
    "cifar10-sgd": {  # deit#45; cars likewise
        **_TRANSFER,
        "optimizer": "sgd",
        "learning_rate": 0.01,
        "weight_decay": 1e-4,
        "erasing": 0.0,
        "drop_path_rate": 0.0,
    },
    "inaturalist": {  # deit#105; deit#141: the rate is the one after scaling
        **_AVERAGED,
        **_CROP,
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
