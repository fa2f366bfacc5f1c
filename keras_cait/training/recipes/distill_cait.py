"""Settings of CaiT's distillation."""

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
