r"""Fine-tunes a model at another resolution or on another data set.

    python recipes/finetune.py --model CaiT_XXS24 --weights imagenet --data-dir DIR
    python recipes/finetune.py --model deit_base_patch16_224 --preset deit-384 \
        --dataset imagenet2012               the weights of timm's name
    python recipes/finetune.py --model DeiT_S_Distilled --teacher teacher.keras \
        --data-dir DIR                       both heads, as DeiT's authors advise
    python recipes/finetune.py --weights run/model.keras --data-dir DIR --scratch
    python recipes/finetune.py --smoke

`--scratch` also trains the same model from random weights, with the same budget and
seed, to measure the gain from the checkpoint. Position embeddings are resampled
bicubically. For other classes the head is new.

Papers: DeiT (https://arxiv.org/abs/2012.12877), section 5.4, tables 7 and 8; CaiT
(https://arxiv.org/abs/2103.17239), section 4.4; DeiT III
(https://arxiv.org/abs/2204.07118). The presets have the settings that their authors
published, or gave in answers.
Hardware: the authors fine-tuned DeiT-B on 16 GPUs (README_deit.md:246).
Expected on ImageNet: DeiT-B at 384 pixels 82.9 % (83.1 % in the paper); DeiT III B
83.8 % at 224 pixels. More measurements: recipes/README.md.

In the output folder: finetuned.keras (takes images in [0, 255]), history.csv,
tensorboard/, curves.png and config.json. The last line of the standard output is a
JSON object with the results.
"""

import os
import sys
from collections.abc import Mapping, Sequence

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported

from keras_cait.training.programs.finetune import FinetuningSettings, finetune
from keras_cait.training.programs.launch import run_recipe
from keras_cait.training.settings.model_settings import deit3_finetuning_settings
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


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the recipe; returns the exit code."""
    return run_recipe(
        FinetuningSettings,
        PRESETS,
        finetune,
        __doc__ or "",
        arguments,
        model_settings=deit3_finetuning_settings,
    )


if __name__ == "__main__":
    sys.exit(main())
