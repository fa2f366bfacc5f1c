"""Parts of the input pipeline that settings describe."""

import functools
from dataclasses import replace
from typing import Any

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
from keras_cait.data.labeled_images import LabeledImages
from keras_cait.data.mixing import Mixing
from keras_cait.data.sources.load import load_test_images
from keras_cait.preprocessing import Preprocessing
from keras_cait.training.settings.image_source import ImageSource
from keras_cait.training.settings.training_settings import TrainingSettings


def images_to_test(
    source: ImageSource, limit: int | None
) -> tuple[tuple[str, ...], LabeledImages]:
    """Loads names of the classes and test images, at most `limit`."""
    return load_test_images(
        source.dataset,
        data_dir=source.data_dir,
        limit=limit,
        test_split=source.test_split,
        validation_split=source.validation_split,
        split_seed=source.split_seed,
    )


def steps_of_epoch(settings: TrainingSettings, images: int) -> int:
    """Number of batches of an epoch."""
    size = min(settings.batch_size, images)
    return steps_per_epoch(images, size, settings.repeats, settings.accumulation_steps)


def check_augmentation(settings: TrainingSettings) -> None:
    """Raises `ValueError` if a transform or the mixing does not accept its settings."""
    training_transforms(settings, (64, 64, 3))
    mixing_of(settings)


def training_transforms(
    settings: TrainingSettings, image_shape: tuple[int, int, int]
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
    transforms: list[Transform] = [crop(**of_size) for crop in crops[settings.crop]]
    if settings.flip:
        transforms.append(RandomFlip())
    if settings.augment == "3a":
        transforms.append(ThreeAugment(color_jitter=settings.color_jitter))
    elif settings.augment != "none":
        transforms.append(RandAugment.from_name(settings.augment))
    affine = {name: getattr(settings, name) for name in ("shift", "rotation", "zoom")}
    if any(affine.values()):
        transforms.append(RandomAffine(**affine))
    if settings.erasing:
        transforms.append(RandomErasing(prob=settings.erasing))
    return tuple(transforms)


def evaluation_transform(
    settings: TrainingSettings,
    image_shape: tuple[int, int, int],
    preprocessing: Preprocessing,
) -> EvaluationTransform:
    """Transform of a test image to `(height, width, channels)`.

    `crop_pct` of the settings overrides that of the model's preprocessing.
    """
    if settings.crop_pct is not None:
        preprocessing = replace(preprocessing, crop_pct=settings.crop_pct)
    return EvaluationTransform.from_preprocessing(
        preprocessing, image_size=image_shape[:2], channels=image_shape[-1]
    )


def mixing_of(settings: TrainingSettings) -> Mixing | None:
    """Mixup, CutMix and label smoothing; None if there are none of them."""
    if not (settings.mixup or settings.cutmix or settings.smoothing):
        return None
    return Mixing(
        mixup_alpha=settings.mixup,
        cutmix_alpha=settings.cutmix,
        label_smoothing=settings.smoothing,
    )
