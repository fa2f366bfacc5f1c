"""The defaults are the paper's, and settings make the parts of a training."""

import dataclasses

import pytest

from keras_cait.data.augmentation.randaugment import RandAugment
from keras_cait.data.augmentation.random_affine import RandomAffine
from keras_cait.data.augmentation.random_erasing import RandomErasing
from keras_cait.data.augmentation.three_augment import ThreeAugment
from keras_cait.data.images.crops import (
    RandomCrop,
    RandomFlip,
    RandomResizedCrop,
    SimpleRandomCrop,
)
from keras_cait.data.images.evaluation_transform import EvaluationTransform
from keras_cait.data.mixing import Mixing
from keras_cait.preprocessing import Preprocessing
from keras_cait.training.settings.training_settings import (
    BATCH_SETTINGS,
    TrainingSettings,
)

SHAPE = (32, 48, 3)
SIZE = {"image_size": (32, 48), "channels": 3}


def settings(**changed):
    return TrainingSettings(**changed)


@pytest.mark.parametrize(("batch_size", "rate"), [(1024, 1e-3), (128, 1.25e-4)])
def test_only_the_peak_rate_is_scaled_by_the_batch(batch_size, rate):
    found = settings(batch_size=batch_size)
    assert found.peak_learning_rate == rate
    assert (found.warmup_learning_rate, found.final_learning_rate) == (1e-6, 1e-5)


def test_the_defaults_are_those_of_table_9():
    assert settings().peak_learning_rate == 1e-3
    assert settings().training_transforms(SHAPE) == (
        RandomResizedCrop(**SIZE, scale=(0.08, 1.0), ratio=(3 / 4, 4 / 3)),
        RandomFlip(),
        RandAugment(magnitude=9.0, magnitude_std=0.5, num_ops=2, increasing=True),
        RandomErasing(prob=0.25, min_area=0.02, max_area=1 / 3),
    )
    mixing = Mixing(mixup_alpha=0.8, cutmix_alpha=1.0, label_smoothing=0.1)
    assert settings().mixing() == mixing
    found = dataclasses.asdict(settings())
    expected = {"epochs": 300, "batch_size": 1024, "weight_decay": 0.05, "repeats": 3}
    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("crop", "transforms"),
    [
        ("simple", (SimpleRandomCrop(**SIZE),)),
        ("padded", (EvaluationTransform(**SIZE, crop_pct=1.0), RandomCrop(**SIZE))),
        ("none", (EvaluationTransform(**SIZE, crop_pct=1.0),)),
    ],
)
def test_each_crop_has_its_transforms(crop, transforms):
    made = settings(crop=crop, flip=False, augment="none", erasing=0.0)
    assert made.training_transforms(SHAPE) == transforms


def test_3a_and_rotation_have_their_transforms():
    made = settings(augment="3a", color_jitter=0.2, erasing=0.0, rotation=10.0)
    assert made.training_transforms(SHAPE)[2:] == (
        ThreeAugment(color_jitter=0.2),
        RandomAffine(rotation=10.0),
    )


def test_without_mixing_and_smoothing_labels_stay_integers():
    assert settings(mixup=0.0, cutmix=0.0, smoothing=0.0).mixing() is None
    assert settings(mixup=0.0, cutmix=0.0).mixing() is not None


def test_crop_pct_overrides_that_of_the_model():
    own = Preprocessing(image_size=(32, 48), crop_pct=0.95, interpolation="bilinear")
    transform = settings().evaluation_transform(SHAPE, own)
    assert (transform.image_size, transform.crop_pct, transform.channels) == (
        (32, 48),
        0.95,
        3,
    )
    assert transform.interpolation == "bilinear"
    assert settings(crop_pct=0.9).evaluation_transform(SHAPE, own).crop_pct == 0.9


def test_the_peak_rate_is_scaled_by_the_images_per_step():
    doubled = settings(batch_size=512, accumulation_steps=2)
    assert doubled.peak_learning_rate == 1e-3
    fixed = settings(scale_learning_rate=False, learning_rate=5e-6)
    assert fixed.peak_learning_rate == 5e-6


def test_batch_settings_are_training_settings():
    assert set(BATCH_SETTINGS) < {
        field.name for field in dataclasses.fields(settings())
    }


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"epochs": 0}, "--epochs must be 1 or more. Received: 0"),
        ({"accumulation_steps": 0}, "--accumulation-steps must be 1 or more"),
        ({"learning_rate": 0.0}, "--learning-rate must be above 0"),
        ({"crop_pct": 1.2}, "--crop-pct must be above 0 and at most 1"),
        ({"drop_path_rate": 1.0}, "--drop-path-rate must be in"),
        ({"loss": "sigmoid"}, "--smoothing must be 0 with --loss sigmoid"),
        ({"augment": "rand-z9"}, "rand-z9"),
        ({"mixup": -1.0}, "mixup_alpha"),
        ({"erasing": 2.0}, "prob=2.0"),
    ],
)
def test_a_value_out_of_range_names_its_flag(changed, said):
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the text is checked
        settings(**changed)
    assert said in str(error.value)
