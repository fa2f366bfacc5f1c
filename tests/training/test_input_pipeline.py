"""Settings make the parts of the input pipeline; the defaults are the paper's."""

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
from keras_cait.training.input_pipeline import (
    check_augmentation,
    evaluation_transform,
    mixing_of,
    training_transforms,
)
from keras_cait.training.settings.training_settings import TrainingSettings

SHAPE = (32, 48, 3)
SIZE = {"image_size": (32, 48), "channels": 3}


def settings(**changed):
    return TrainingSettings(**changed)


def test_the_defaults_are_those_of_table_9():
    assert training_transforms(settings(), SHAPE) == (
        RandomResizedCrop(**SIZE, scale=(0.08, 1.0), ratio=(3 / 4, 4 / 3)),
        RandomFlip(),
        RandAugment(magnitude=9.0, magnitude_std=0.5, num_ops=2, increasing=True),
        RandomErasing(prob=0.25, min_area=0.02, max_area=1 / 3),
    )
    mixing = Mixing(mixup_alpha=0.8, cutmix_alpha=1.0, label_smoothing=0.1)
    assert mixing_of(settings()) == mixing


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
    assert training_transforms(made, SHAPE) == transforms


def test_3a_and_rotation_have_their_transforms():
    made = settings(augment="3a", color_jitter=0.2, erasing=0.0, rotation=10.0)
    assert training_transforms(made, SHAPE)[2:] == (
        ThreeAugment(color_jitter=0.2),
        RandomAffine(rotation=10.0),
    )


def test_without_mixing_and_smoothing_labels_stay_integers():
    assert mixing_of(settings(mixup=0.0, cutmix=0.0, smoothing=0.0)) is None
    assert mixing_of(settings(mixup=0.0, cutmix=0.0)) is not None


def test_crop_pct_overrides_that_of_the_model():
    own = Preprocessing(image_size=(32, 48), crop_pct=0.95, interpolation="bilinear")
    transform = evaluation_transform(settings(), SHAPE, own)
    assert (transform.image_size, transform.crop_pct, transform.channels) == (
        (32, 48),
        0.95,
        3,
    )
    assert transform.interpolation == "bilinear"
    assert evaluation_transform(settings(crop_pct=0.9), SHAPE, own).crop_pct == 0.9


@pytest.mark.parametrize(
    ("changed", "printed"),
    [
        ({"augment": "rand-z9"}, "rand-z9"),
        ({"mixup": -1.0}, "mixup_alpha"),
        ({"erasing": 2.0}, "prob=2.0"),
    ],
)
def test_a_value_that_a_transform_refuses_is_an_error(changed, printed):
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the text is checked
        check_augmentation(settings(**changed))
    assert printed in str(error.value)
