"""All that a training run follows, as one flat, typed table."""

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
from keras_cait.training.settings.configuration import setting

OF_IMAGES = (
    *("epochs", "batch_size", "crop", "flip", "augment", "color_jitter", "shift"),
    *("rotation", "zoom", "erasing", "mixup", "cutmix", "smoothing", "repeats"),
)
"""The settings that decide what the batches of a run hold."""


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """How a model is trained; the defaults are DeiT's on ImageNet.

    Reference:
        Touvron et al., Training data-efficient image transformers & distillation
        through attention, table 9, https://arxiv.org/abs/2012.12877, where the
        official code differs as the official code has it.

    """

    epochs: int = setting(300, "passes over the images")
    batch_size: int = setting(1024, "images a batch, over all devices")
    optimizer: Literal["adamw", "lamb", "sgd"] = setting("adamw", "what takes steps")
    learning_rate: float = setting(5e-4, "highest rate, for 512 images a step")
    scale_learning_rate: bool = setting(True, "take it times images a step / 512")
    schedule: Literal["cosine", "decay"] = setting("cosine", "how the rate falls")
    rate_per_step: bool = setting(False, "a new rate each step, not each epoch")
    decay_epochs: int = setting(30, "of decay: epochs between two falls")
    decay_rate: float = setting(0.1, "of decay: what remains after one")
    warmup_epochs: int = setting(5, "epochs of linear rise")
    warmup_learning_rate: float = setting(1e-6, "rate the rise begins with, unscaled")
    final_learning_rate: float = setting(1e-5, "rate the cosine ends at, unscaled")
    weight_decay: float = setting(0.05, "of matrices, times the rate a step")
    decay_distillation_token: bool = setting(True, "as the official code does")
    clip_norm: float | None = setting(None, "largest norm of all gradients together")
    accumulation_steps: int = setting(1, "batches that make one step")
    ema: float | None = setting(None, "decay of averaged weights, such as 0.99996")
    drop_path_rate: float | None = setting(
        None, "stochastic depth; None: published, or that of an unpublished .keras file"
    )
    loss: Literal["softmax", "sigmoid"] = setting(
        "softmax", "cross-entropy over classes, or of each class (DeiT-III)"
    )
    crop: Literal["resized", "simple", "padded", "none"] = setting(
        "resized", "random crop: by area; DeiT-III's; of the image padded by 4; none"
    )
    flip: bool = setting(True, "mirror half of the images, left to right")
    augment: str = setting(
        "rand-m9-mstd0.5-inc1", 'RandAugment by timm\'s name, "3a" or "none"'
    )
    color_jitter: float = setting(0.3, "of 3-Augment; RandAugment goes without")
    shift: float = setting(0.0, "largest shift along each axis, part of the side")
    rotation: float = setting(0.0, "largest turn, degrees")
    zoom: float = setting(0.0, "largest change of height and width, part")
    erasing: float = setting(0.25, "part of the images with an erased rectangle")
    mixup: float = setting(0.8, "alpha of Mixup; 0 for none")
    cutmix: float = setting(1.0, "alpha of CutMix; 0 for none")
    smoothing: float = setting(0.1, "label smoothing, in [0, 1)")
    repeats: int = setting(3, "repeated augmentation: views of an image an epoch")
    crop_pct: float | None = setting(
        None, "part of the side that evaluation sees; None: the model's own"
    )

    def __post_init__(self) -> None:
        """Refuses what is out of range; the parts check their own."""
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
        """The highest learning rate, `learning_rate * images a step / 512`.

        As in the official code only this rate is scaled, not those at the start of
        the warm-up and at the end of the cosine.
        """
        if not self.scale_learning_rate:
            return self.learning_rate
        images = self.batch_size * self.accumulation_steps
        return self.learning_rate * images / 512

    def steps_per_epoch(self, images: int) -> int:
        """Batches of an epoch of so many images."""
        size = min(self.batch_size, images)
        return steps_per_epoch(images, size, self.repeats, self.accumulation_steps)

    def training_transforms(
        self, image_shape: tuple[int, int, int]
    ) -> tuple[Transform, ...]:
        """Random transforms of a training image, in this order.

        Args:
            image_shape: Height and width in pixels, and channels, of the result.

        """
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
        """Transform of an image to measure on, to the same shape.

        Args:
            image_shape: Height and width in pixels, and channels, of the result.
            preprocessing: That of the model; `crop_pct` of the settings overrides it.

        """
        if self.crop_pct is not None:
            preprocessing = replace(preprocessing, crop_pct=self.crop_pct)
        return EvaluationTransform.from_preprocessing(
            preprocessing, image_size=image_shape[:2], channels=image_shape[-1]
        )

    def mixing(self) -> Mixing | None:
        """What mixes and softens a batch; None where labels stay whole numbers."""
        if not (self.mixup or self.cutmix or self.smoothing):
            return None
        return Mixing(
            mixup_alpha=self.mixup,
            cutmix_alpha=self.cutmix,
            label_smoothing=self.smoothing,
        )
