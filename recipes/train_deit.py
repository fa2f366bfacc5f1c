"""Trains a DeiT on labels alone.

    python recipes/train_deit.py                            handwritten digits
    python recipes/train_deit.py --data-dir DIR             your own images
    python recipes/train_deit.py --preset imagenet --dataset imagenet2012
    python recipes/train_deit.py --smoke                    everything, in two minutes

    python recipes/train_deit.py --preset deit3 --dataset imagenet2012

Paper: DeiT (https://arxiv.org/abs/2012.12877), table 9. --preset deit3: DeiT III
(https://arxiv.org/abs/2204.07118), table 1: 800 epochs at the image size of the
model's official command; then finetune.py --preset deit3.
Hardware: the authors trained Ti and S on 4 GPUs (README_deit.md:212), B on 16.
Expected on ImageNet: DeiT-Ti 72.2 %, S 79.8 %, B 81.8 %; DeiT III B at 192 pixels
82.8 %. More measurements: recipes/README.md.

In the output folder: model.keras (takes images in [0, 255]), history.csv,
tensorboard/, curves.png and config.json. The last line of the standard output is a
JSON object with the results.
"""

import os
import sys
from collections.abc import Sequence
from functools import partial

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported

from keras_cait.training.programs.launch import run_recipe
from keras_cait.training.programs.train import SupervisedSettings, train
from keras_cait.training.settings.model_settings import deit3_training_settings
from keras_cait.training.settings.presets import Preset, training_presets

# "main.py:35" is a line of facebookresearch/deit at commit 7e160fe, "deit#67" an issue
# there in which an author answered. The official commands (README_deit.md:216, 221,
# 236) have main.py's defaults. Tables are those of the paper.
IMAGENET: Preset = {
    "model": "DeiT_S",  # Ti and B have the same settings: deit#201
    "drop_path_rate": None,  # that of the published model, 0.1: main.py:46, table 9
    # Duration and batches
    "epochs": 300,  # table 9; main.py:35
    "batch_size": 1024,  # table 9; 16 GPUs of 64 images: main.py:34
    "repeats": 3,  # repeated augmentation: table 9; main.py:107
    # Optimizer
    "optimizer": "adamw",  # table 9; main.py:56
    "learning_rate": 5e-4,  # table 9; main.py:71
    "scale_learning_rate": True,  # times images a step / 512: table 9; main.py:350
    "schedule": "cosine",  # table 9; main.py:69
    "rate_per_step": False,  # main.py:432
    "warmup_epochs": 5,  # table 9; main.py:86
    "warmup_learning_rate": 1e-6,  # main.py:79
    "final_learning_rate": 1e-5,  # main.py:81
    "weight_decay": 0.05,  # table 9; main.py:66
    "accumulation_steps": 1,
    "clip_norm": None,  # table 9; main.py:62
    "ema": 0.99996,  # main.py:51-52; saved, but not evaluated: deit#67
    "loss": "softmax",  # main.py:361
    # Augmentation
    "crop": "resized",  # random resized crop; the image size is 224: main.py:42
    "flip": True,
    "augment": "rand-m9-mstd0.5-inc1",  # RandAugment 9/0.5: table 9; main.py:98
    "erasing": 0.25,  # table 9; main.py:118
    "mixup": 0.8,  # table 9; main.py:128
    "cutmix": 1.0,  # table 9; main.py:130
    "smoothing": 0.1,  # table 9; main.py:101
    # Evaluation
    "crop_pct": 0.875,  # main.py:174
}

# DeiT III: the commands of README_revenge.md at lines 81, 412, 745 and 1078. Image size
# and learning rate depend on the model; model_settings.py has them, and what is here
# holds for a model without a command.
DEIT3: Preset = {
    "model": "DeiT3_B",
    "drop_path_rate": None,  # that of the published model, 0.05 to 0.6: --drop-path
    # Duration and batches
    "epochs": 800,  # --epochs
    "batch_size": 2048,  # --batch x --nodes x --ngpus
    "repeats": 3,  # --repeated-aug
    # Optimizer
    "optimizer": "lamb",  # --opt fusedlamb
    "learning_rate": 3e-3,  # --lr
    "scale_learning_rate": False,  # --unscale-lr
    "schedule": "cosine",  # --sched
    "rate_per_step": False,  # main.py:432
    "warmup_epochs": 5,  # --warmup-epochs
    "warmup_learning_rate": 1e-6,  # --warmup-lr
    "final_learning_rate": 1e-5,  # main.py:81
    "weight_decay": 0.05,  # --weight-decay
    "accumulation_steps": 1,
    "clip_norm": 1.0,  # the default of apex's FusedLAMB
    "ema": 0.99996,  # main.py:51-52; saved, but not evaluated: deit#67
    "loss": "sigmoid",  # --bce-loss
    # Augmentation
    "crop": "resized",  # augment.py:104
    "flip": True,  # augment.py:107
    "augment": "3a",  # --ThreeAugment
    "color_jitter": 0.3,  # --color-jitter
    "erasing": 0.0,  # --reprob
    "mixup": 0.8,  # --mixup
    "cutmix": 1.0,  # --cutmix
    "smoothing": 0.0,  # --smoothing
    # Evaluation
    "crop_pct": 1.0,  # --eval-crop-ratio
}

PRESETS = {"imagenet": IMAGENET, **training_presets(IMAGENET), "deit3": DEIT3}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the recipe; returns the exit code."""
    run = partial(train, families=("deit", "deit3"))
    return run_recipe(
        SupervisedSettings,
        PRESETS,
        run,
        __doc__ or "",
        arguments,
        model_settings=deit3_training_settings,
    )


if __name__ == "__main__":
    sys.exit(main())
