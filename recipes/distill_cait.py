"""Distills a CaiT from a convnet, with a distillation token or without.

    python recipes/distill_cait.py                        handwritten digits
    python recipes/distill_cait.py --data-dir DIR         your own images
    python recipes/distill_cait.py --preset imagenet --dataset imagenet2012
    python recipes/distill_cait.py --smoke                everything, in two minutes

The published CaiTs were distilled through their single class head, as
`--no-distillation-token` does. By default the student has a distillation token and a
head for it, like DeiT.

Paper: CaiT (https://arxiv.org/abs/2103.17239), section 4.5 and table 5, and DeiT
(https://arxiv.org/abs/2012.12877), section 4. The official repository has no command
for this run.
Hardware: recipes/cluster/README.md estimates the hours.
Expected on ImageNet: CaiT-S24 83.5 % with --no-distillation-token. More measurements:
recipes/README.md.

In the output folder: student.keras and teacher.keras (both take images in
[0, 255]), history.csv, tensorboard/, curves.png and config.json. The last line of
the standard output is a JSON object with the results.
"""

import os
import sys
from collections.abc import Sequence
from functools import partial

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported

from keras_cait.training.programs.distill import DistillationSettings, distill
from keras_cait.training.programs.launch import run_recipe
from keras_cait.training.settings.presets import Preset, distillation_presets

# CaiT was trained as DeiT for 400 epochs, and with another drop path: section 4, and
# an author in issues #104 and #108 of facebookresearch/deit ("deit#104"). "main.py:34"
# is a line of DeiT's code there, at commit 7e160fe.
IMAGENET: Preset = {
    # Models
    "student": "CaiT_XXS24",
    "teacher": "RegNetY_16GF",  # DeiT, section 5.2; main.py:142
    "teacher_weights": "imagenet",  # 82.9 %: DeiT, table 2
    "drop_path_rate": None,  # that of the published model: the paper's table, deit#108
    # Distillation
    "distillation": "hard",  # section 4.5; DeiT, section 4
    "distillation_token": True,  # DeiT's; the published CaiTs have none
    "alpha": None,  # for hard 0.5: main.py:146; for soft 0.9, not the paper's
    "temperature": 3.0,  # of soft, as in DeiT's paper; main.py:147 has 1
    "baseline": False,  # no second student without a teacher
    # Duration and batches
    "epochs": 400,  # section 4
    "batch_size": 1024,  # 16 GPUs of 64 images: main.py:34
    "repeats": 3,  # repeated augmentation: deit#104; main.py:107
    # Optimizer
    "optimizer": "adamw",  # main.py:56
    "learning_rate": 5e-4,  # main.py:71
    "scale_learning_rate": True,  # times images a step / 512: main.py:350
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
    "crop": "resized",  # random resized crop; the image size is 224: main.py:42
    "flip": True,
    "augment": "rand-m9-mstd0.5-inc1",  # RandAugment: main.py:98
    "erasing": 0.25,  # main.py:118
    "mixup": 0.8,  # main.py:128
    "cutmix": 1.0,  # main.py:130
    "smoothing": 0.1,  # main.py:101
    # Evaluation
    "crop_pct": None,  # that of the published model, 1.0: README_cait.md:52
}

PRESETS = {"imagenet": IMAGENET, **distillation_presets(IMAGENET)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the recipe; returns the exit code."""
    train = partial(distill, family="cait")
    return run_recipe(DistillationSettings, PRESETS, train, __doc__ or "", arguments)


if __name__ == "__main__":
    sys.exit(main())
