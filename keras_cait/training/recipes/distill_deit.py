"""Settings of DeiT's distillation."""

from keras_cait.training.settings.presets import Preset, distillation_presets

# "main.py:35" is a line of facebookresearch/deit at commit 7e160fe, "deit#48" an issue
# there in which an author answered. The official command (README_deit.md:241) has
# main.py's defaults. Tables and sections are those of the paper.
IMAGENET: Preset = {
    # Models
    "student": "DeiT_Ti",  # S and B have the same settings: deit#201
    "teacher": "RegNetY_16GF",  # section 5.2; main.py:142
    "teacher_weights": "imagenet",  # 82.9 %: table 2
    "drop_path_rate": None,  # that of the published model, 0.1: main.py:46, table 9
    # Distillation
    "distillation": "hard",  # section 4, table 3
    "distillation_token": True,  # section 4
    "alpha": None,  # for hard 0.5: main.py:146; for soft 0.9, not the paper's
    "temperature": 3.0,  # of soft, as in the paper; main.py:147 has 1
    "baseline": False,  # no second student without a teacher
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
    "decay_distillation_token": True,  # deit#48
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

PRESETS = {"imagenet": IMAGENET, **distillation_presets(IMAGENET)}
