"""Settings of the training of one model."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from keras_cait.command_line.flags import flag, option

BATCH_SETTINGS = (
    *("epochs", "batch_size", "crop", "flip", "augment", "color_jitter", "shift"),
    *("rotation", "zoom", "erasing", "mixup", "cutmix", "smoothing", "repeats"),
)
"""The settings that decide the content of the batches."""


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """Settings of a training; the defaults are DeiT's on ImageNet.

    Reference:
        Touvron et al., Training data-efficient image transformers & distillation
        through attention, table 9, https://arxiv.org/abs/2012.12877. Where the
        official code differs from the paper, the code is followed: main.py:32-188
        of facebookresearch/deit at commit 7e160fe, on 16 GPUs of 64 images
        (README_deit.md:233).

    """

    group: ClassVar[str] = "Training"

    epochs: int = option(300, "passes over the images")
    batch_size: int = option(1024, "images a batch, over all devices")
    optimizer: Literal["adamw", "lamb", "sgd"] = option("adamw", "optimizer")
    learning_rate: float = option(5e-4, "peak learning rate, for 512 images a step")
    scale_learning_rate: bool = option(True, "scale the rate by images a step / 512")
    schedule: Literal["cosine", "decay"] = option("cosine", "learning rate schedule")
    rate_per_step: bool = option(False, "change the rate at each step, not epoch")
    decay_epochs: int = option(30, "epochs between two drops of --schedule decay")
    decay_rate: float = option(0.1, "factor of each drop of --schedule decay")
    warmup_epochs: int = option(5, "epochs of linear warm-up")
    warmup_learning_rate: float = option(1e-6, "first rate of the warm-up, unscaled")
    final_learning_rate: float = option(1e-5, "last rate of the cosine, unscaled")
    weight_decay: float = option(0.05, "decoupled weight decay, of matrices alone")
    decay_distillation_token: bool = option(True, "weight decay of that token too")
    clip_norm: float | None = option(None, "largest global norm of the gradients")
    accumulation_steps: int = option(1, "batches of one optimizer step")
    ema: float | None = option(None, "decay of the average of weights")
    drop_path_rate: float | None = option(
        None, "stochastic depth; None: as published, or as in a .keras file"
    )
    loss: Literal["softmax", "sigmoid"] = option(
        "softmax", "cross-entropy over classes, or of each class (DeiT-III)"
    )
    crop: Literal["resized", "simple", "padded", "none"] = option(
        "resized", "random crop: by area, DeiT-III's, after padding by 4, or none"
    )
    flip: bool = option(True, "mirror half of the images, left to right")
    augment: str = option(
        "rand-m9-mstd0.5-inc1", 'RandAugment by timm\'s name, "3a" or "none"'
    )
    color_jitter: float = option(0.3, "strength in 3-Augment; RandAugment has none")
    shift: float = option(0.0, "largest shift, as a part of the side")
    rotation: float = option(0.0, "largest rotation in degrees")
    zoom: float = option(0.0, "largest relative change of height and width")
    erasing: float = option(0.25, "probability of random erasing")
    mixup: float = option(0.8, "alpha of Mixup; 0 for none")
    cutmix: float = option(1.0, "alpha of CutMix; 0 for none")
    smoothing: float = option(0.1, "label smoothing, in [0, 1)")
    repeats: int = option(3, "repeated augmentation: views of one image")
    crop_pct: float | None = option(
        None, "part of the side for evaluation; None: the model's own"
    )

    def __post_init__(self) -> None:
        """Checks the ranges; `check_augmentation` checks those of the augmentation."""
        for name in ("epochs", "batch_size", "accumulation_steps", "repeats"):
            self._check(name, getattr(self, name) >= 1, "1 or more")
        if self.loss == "sigmoid":
            self._check("smoothing", self.smoothing == 0, "0 with --loss sigmoid")
        self._check("learning_rate", self.learning_rate > 0, "above 0")
        if self.crop_pct is not None:
            self._check("crop_pct", 0 < self.crop_pct <= 1, "above 0 and at most 1")
        if self.drop_path_rate is not None:
            self._check("drop_path_rate", 0 <= self.drop_path_rate < 1, "in [0, 1)")

    def _check(self, name: str, holds: bool, expected: str) -> None:
        if not holds:
            raise ValueError(
                f"{flag(name)} must be {expected}. Received: {getattr(self, name)}"
            )

    @property
    def peak_learning_rate(self) -> float:
        """The peak learning rate, `learning_rate * images a step / 512`.

        As in the official code, the first rate of the warm-up and the last one of
        the cosine are not scaled.
        """
        if not self.scale_learning_rate:
            return self.learning_rate
        images = self.batch_size * self.accumulation_steps
        return self.learning_rate * images / 512
