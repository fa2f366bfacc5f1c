"""Distribution of the operations that 3-Augment draws, and their application."""

import math

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from keras_cait.data.augmentation.three_augment import ThreeAugment
from tests.support import reference

PHOTO = reference.numbers("randaugment_m9")["photo"]
DRAWS = 10_000


@pytest.fixture(scope="module")
def draws():
    seeds = tf.data.Dataset.range(DRAWS)
    draws = seeds.map(lambda i: ThreeAugment().draw((7, i)), tf.data.AUTOTUNE)
    return [each.numpy() for each in next(iter(draws.batch(DRAWS)))]


def standard_errors(count, number, probability):
    """Distance of a count from the expected one, in standard deviations."""
    deviation = math.sqrt(number * probability * (1 - probability))
    return abs(count - number * probability) / deviation


def test_the_three_operations_are_equally_frequent(draws):
    counts = np.bincount(draws[0])
    assert len(counts) == 3
    for count in counts:
        assert standard_errors(count, DRAWS, 1 / 3) < 4


def test_radius_is_uniform(draws):
    radius = draws[1]
    assert radius.min() >= 0.1
    assert radius.max() <= 2
    for part in (0.1, 0.5, 0.9):
        assert standard_errors((radius < 0.1 + 1.9 * part).sum(), DRAWS, part) < 4


def test_factors_are_uniform_and_independent(draws):
    factors = draws[2]
    assert factors.shape == (DRAWS, 3)
    assert factors.min() >= 0.7
    assert factors.max() <= 1.3
    for column in factors.T:
        for part in (0.1, 0.5, 0.9):
            assert standard_errors((column < 0.7 + 0.6 * part).sum(), DRAWS, part) < 4
    correlation = np.corrcoef(factors.T) - np.eye(3)
    assert np.abs(correlation).max() < 0.04


def test_all_orders_are_equally_frequent(draws):
    orders, counts = np.unique(draws[3], axis=0, return_counts=True)
    assert len(orders) == 6
    for count in counts:
        assert standard_errors(count, DRAWS, 1 / 6) < 4


def of_pillow(draw):
    """The published code, with the numbers that were drawn."""
    image = Image.fromarray(PHOTO)
    choices = [
        lambda: image.convert("L").convert("RGB"),
        lambda: ImageOps.solarize(image),
        lambda: image.filter(ImageFilter.GaussianBlur(float(draw.radius))),
    ]
    image = choices[int(draw.choice)]()
    jitters = [ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color]
    for place in draw.order.numpy():
        image = jitters[place](image).enhance(float(draw.factors[place]))
    return np.asarray(image)


def test_equals_pillow_in_a_pipeline():
    augment = ThreeAugment()
    images = tf.data.Dataset.from_tensors(PHOTO).repeat(24).enumerate()
    images = images.map(lambda sample, image: augment(image, (3, sample)), 2)
    assert images.element_spec == tf.TensorSpec(PHOTO.shape, tf.uint8)
    for sample, image in enumerate(images.as_numpy_iterator()):
        draw = augment.draw((3, sample))
        difference = np.abs(image.astype(int) - of_pillow(draw))
        assert difference.max() <= 2
        assert difference.mean() < 0.01
        np.testing.assert_array_equal(augment(PHOTO, (3, sample)), image)


def test_without_jitter_one_operation_is_applied():
    augment = ThreeAugment(color_jitter=0)
    draws = [augment.draw((1, sample)) for sample in range(8)]
    assert {int(draw.choice) for draw in draws} == {0, 1, 2}
    for sample, draw in enumerate(draws):
        found = augment(PHOTO, (1, sample)).numpy().astype(int)
        assert np.abs(found - of_pillow(draw)).mean() < 0.01


def test_the_image_size_may_be_unknown():
    spec = tf.TensorSpec((None, None, 3), tf.uint8)
    augment = tf.function(
        ThreeAugment(), input_signature=[spec, tf.TensorSpec((2,), "int32")]
    )
    for sample in range(4):
        found = augment(PHOTO, (1, sample)).numpy().astype(int)
        difference = np.abs(found - ThreeAugment()(PHOTO, (1, sample)))
        assert difference.max() <= 1


@pytest.mark.parametrize("color_jitter", [-0.1, 1.1, float("nan")])
def test_settings_out_of_range_are_refused(color_jitter):
    with pytest.raises(ValueError, match=f"Received: color_jitter={color_jitter}"):
        ThreeAugment(color_jitter=color_jitter)


def test_float_images_are_refused():
    with pytest.raises(ValueError, match="dtype=float32"):
        ThreeAugment()(tf.zeros((8, 8, 3)), (0, 1))
