"""Settings of DeiT's training on labels, and of DeiT III's."""

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
