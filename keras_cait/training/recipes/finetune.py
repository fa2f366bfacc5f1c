"""Settings of fine-tuning: the authors' presets."""

from collections.abc import Mapping

from keras_cait.training.settings.presets import FINETUNING_PRESETS, Preset

# "main.py:56" and "README_deit.md:246" are lines of facebookresearch/deit at commit
# 7e160fe; "deit#108" and "dino#81" are issues of facebookresearch's repositories in
# which an author answered.

# The defaults of the official code. Each preset below changes some of them.
DEIT: Preset = {
    "repeats": 3,  # repeated augmentation: main.py:107
    # Optimizer
    "optimizer": "adamw",  # main.py:56
    "schedule": "cosine",  # main.py:69
    "rate_per_step": False,  # main.py:432
    "warmup_epochs": 5,  # main.py:86
    "warmup_learning_rate": 1e-6,  # main.py:79
    "final_learning_rate": 1e-5,  # main.py:81
    "weight_decay": 0.05,  # main.py:66
    "decay_distillation_token": True,  # deit#48
    "accumulation_steps": 1,
    "clip_norm": None,  # main.py:62
    "ema": 0.99996,  # main.py:51-52; saved, but not evaluated: deit#67
    "loss": "softmax",  # main.py:361
    # Augmentation
    "crop": "resized",  # random resized crop
    "flip": True,
    "augment": "rand-m9-mstd0.5-inc1",  # RandAugment 9/0.5: main.py:98
    "erasing": 0.25,  # main.py:118
    "mixup": 0.8,  # main.py:128
    "cutmix": 1.0,  # main.py:130
    "smoothing": 0.1,  # main.py:101
    # Evaluation
    "crop_pct": 0.875,  # main.py:174
    # Distillation, with --teacher
    "distillation": "hard",  # DeiT, section 4
    "alpha": 0.5,  # main.py:146
    "temperature": 3.0,  # of soft, as in the paper; main.py:147 has 1
}

_DEIT_384: Preset = {
    **DEIT,
    "image_size": 384,
    "epochs": 30,
    "batch_size": 512,
    "scale_learning_rate": True,  # with this batch the factor is 1: main.py:350
    # Commit e6fd5c2 fine-tunes in evaluation mode, without stochastic depth.
    "drop_path_rate": 0.0,
}

_TRANSFER: Preset = {  # dino#81 and dino#144: a model of B's size
    **DEIT,
    "image_size": 224,
    "epochs": 1000,
    "batch_size": 768,
    "learning_rate": 7.5e-6,
    "scale_learning_rate": False,
    "drop_path_rate": 0.1,
}

PRESETS: Mapping[str, Preset] = {
    "deit-384": {  # README_deit.md:246: DeiT-B from 224 to 384 pixels
        **_DEIT_384,
        "learning_rate": 5e-6,
        "final_learning_rate": 5e-6,
        "weight_decay": 1e-8,
    },
    "deit-ti-384": {  # deit#120: the defaults, and this rate to start with
        **_DEIT_384,
        "learning_rate": 1e-5,
    },
    # README_revenge.md:1411-1515. model_settings.py has drop path by model and size.
    # In training mode: main.py:428, deit#167.
    "deit3": {
        **DEIT,
        "image_size": 224,
        "epochs": 20,
        "batch_size": 512,
        "learning_rate": 1e-5,  # the last rate too: deit#117
        "scale_learning_rate": False,
        "weight_decay": 0.1,
        "erasing": 0.0,
        "repeats": 1,
        "crop_pct": 1.0,
    },
    "cait-m48-448": {  # deit#108, with --teacher
        **DEIT,
        "image_size": 448,
        "epochs": 60,
        "batch_size": 256,
        "learning_rate": 5e-6,
        "scale_learning_rate": False,
        # The author gave both numbers; timm's default schedule, cosine, ignores them.
        "schedule": "decay",
        "decay_epochs": 10,
        "decay_rate": 0.5,
        "drop_path_rate": 0.3,
        "crop_pct": None,  # that of the published model, 1.0: README_cait.md:52
    },
    "cifar10": _TRANSFER,  # dino#81
    "cifar100": {**_TRANSFER, "learning_rate": 5e-6},  # dino#144
    "cifar10-sgd": {  # deit#45, for cars too
        **_TRANSFER,
        "optimizer": "sgd",
        "learning_rate": 0.01,
        "weight_decay": 1e-4,
        "erasing": 0.0,
        "drop_path_rate": 0.0,
    },
    "inaturalist": {  # deit#105; deit#141: the rate is the one after scaling
        **DEIT,
        "image_size": 224,
        "epochs": 360,
        "batch_size": 768,
        "learning_rate": 7.5e-5,
        "scale_learning_rate": False,
        "erasing": 0.1,
        "drop_path_rate": 0.1,
    },
    **FINETUNING_PRESETS,
}
