"""Settings of the training of one model."""

import functools
from dataclasses import dataclass, replace
from typing import Any, Literal

from keras_cait.data.augmentation.randaugment import RandAugment
from keras_cait.data.augmentation.random_affine import RandomAffine
from keras_cait.data.augmentation.random_erasing import RandomErasing
from keras_cait.data.augmentation.three_augment import ThreeAugment
from keras_cait.data.batches import Transform, steps_per_epoch
from keras_cait.data.images.crops import (
    RandomCrop,
    RandomFlip,
    RandomResizedCrop,
    SimpleRandomCrop,
)
from keras_cait.data.images.evaluation_transform import EvaluationTransform
from keras_cait.data.mixing import Mixing
from keras_cait.preprocessing import Preprocessing
from keras_cait.training.settings.flags import option

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
        """Checks the ranges; the parts check their own arguments."""
        for name in ("epochs", "batch_size", "accumulation_steps", "repeats"):
            self._check(name, getattr(self, name) >= 1, "1 or more")
        if self.loss == "sigmoid":
            self._check("smoothing", self.smoothing == 0, "0 with --loss sigmoid")
        self._check("learning_rate", self.learning_rate > 0, "above 0")
        if self.crop_pct is not None:
            self._check("crop_pct", 0 < self.crop_pct <= 1, "above 0 and at most 1")
        if self.drop_path_rate is not None:
            self._check("drop_path_rate", 0 <= self.drop_path_rate < 1, "in [0, 1)")
        self.training_transforms((64, 64, 3))
        self.mixing()

    def _check(self, name: str, holds: bool, expected: str) -> None:
        if not holds:
            flag = "--" + name.replace("_", "-")
            raise ValueError(
                f"{flag} must be {expected}. Received: {getattr(self, name)}"
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

    def steps_per_epoch(self, images: int) -> int:
        """Number of batches of an epoch."""
        size = min(self.batch_size, images)
        return steps_per_epoch(images, size, self.repeats, self.accumulation_steps)

    def training_transforms(
        self, image_shape: tuple[int, int, int]
    ) -> tuple[Transform, ...]:
        """Random transforms, in order, of a training image to this shape in pixels."""
        of_size: dict[str, Any] = {
            "image_size": tuple(image_shape[:2]),
            "channels": image_shape[-1],
        }
        whole = functools.partial(EvaluationTransform, crop_pct=1.0)
        crops: dict[str, list[Any]] = {
            "resized": [RandomResizedCrop],
            "simple": [SimpleRandomCrop],
            "padded": [whole, RandomCrop],
            "none": [whole],
        }
        transforms: list[Transform] = [crop(**of_size) for crop in crops[self.crop]]
        if self.flip:
            transforms.append(RandomFlip())
        if self.augment == "3a":
            transforms.append(ThreeAugment(color_jitter=self.color_jitter))
        elif self.augment != "none":
            transforms.append(RandAugment.from_name(self.augment))
        if self.shift or self.rotation or self.zoom:
            transforms.append(
                RandomAffine(shift=self.shift, rotation=self.rotation, zoom=self.zoom)
            )
        if self.erasing:
            transforms.append(RandomErasing(prob=self.erasing))
        return tuple(transforms)

    def evaluation_transform(
        self, image_shape: tuple[int, int, int], preprocessing: Preprocessing
    ) -> EvaluationTransform:
        """Transform of a test image to `(height, width, channels)`.

        `crop_pct` of the settings overrides that of the model's preprocessing.
        """
        if self.crop_pct is not None:
            preprocessing = replace(preprocessing, crop_pct=self.crop_pct)
        return EvaluationTransform.from_preprocessing(
            preprocessing, image_size=image_shape[:2], channels=image_shape[-1]
        )

    def mixing(self) -> Mixing | None:
        """Mixup, CutMix and label smoothing; None if there are none of them."""
        if not (self.mixup or self.cutmix or self.smoothing):
            return None
        return Mixing(
            mixup_alpha=self.mixup,
            cutmix_alpha=self.cutmix,
            label_smoothing=self.smoothing,
        )
