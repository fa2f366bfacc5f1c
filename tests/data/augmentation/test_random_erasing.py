"""Frequency, size and noise of erased rectangles."""

import math

import numpy as np
import pytest
import tensorflow as tf

from keras_cait.data.augmentation.random_erasing import RandomErasing
from keras_cait.preprocessing import IMAGENET_MEAN, IMAGENET_STD
from tests.support.data.draws import distance_from_uniform, draws
from tests.support.data.photographs import photograph

MEAN, STD = np.array(IMAGENET_MEAN), np.array(IMAGENET_STD)


@pytest.mark.parametrize("prob", [0.25, 0.6])
def test_images_are_erased_with_the_given_probability(prob):
    erasing = RandomErasing(prob=prob)
    image = tf.zeros((4, 4, 1), "uint8")
    found = draws(lambda seed: tf.reduce_any(erasing(image, seed) != 0))
    erases, _ = draws(lambda seed: erasing.rectangle(224, 224, seed))
    for rate in (found.mean(), erases.mean()):
        assert abs(rate - prob) < 0.025  # five standard deviations


def test_probabilities_0_and_1_erase_never_and_always():
    image = tf.constant(photograph(32, 32))
    for n in range(20):
        kept = RandomErasing(prob=0.0)(image, (n, 0))
        np.testing.assert_array_equal(kept, image)
        erased = RandomErasing(prob=1.0)(image, (n, 0))
        assert (erased != tf.cast(image, "float32")).numpy().any()


def test_area_is_uniform_and_so_is_the_logarithm_of_the_aspect():
    """For rectangles that always fit; `test_rectangles` has those that may not."""
    erasing = RandomErasing(prob=1.0, max_area=0.25)
    erases, (top, left, height, width) = draws(
        lambda seed: erasing.rectangle(1000, 1000, seed)
    )
    assert erases.all()
    assert distance_from_uniform(height * width / 1e6, 0.02, 0.25) < 0.02
    aspect = np.log(width / height)
    assert distance_from_uniform(aspect, math.log(0.3), -math.log(0.3)) < 0.02
    assert distance_from_uniform(top / (1000 - height), 0, 1) < 0.02
    assert distance_from_uniform(left / (1000 - width), 0, 1) < 0.02


def test_erasing_is_independent_of_the_rectangle():
    erasing = RandomErasing(prob=0.5, max_area=0.25)
    erases, rectangle = draws(lambda seed: erasing.rectangle(1000, 1000, seed))
    area = rectangle.height * rectangle.width / 1e6
    assert distance_from_uniform(area[erases], 0.02, 0.25) < 0.03
    assert distance_from_uniform(area[~erases], 0.02, 0.25) < 0.03


def test_all_pixels_of_one_rectangle_change():
    image = photograph(60, 80)
    for n in range(20):
        found = RandomErasing(prob=1.0)(tf.constant(image), (n, 0)).numpy()
        changed = found != image
        rows, columns = (changed.any(axis=axes) for axes in ((1, 2), (0, 2)))
        inside = rows[:, None] & columns
        for along in (rows, columns):  # no gap
            assert np.ptp(np.flatnonzero(along)) == along.sum() - 1
        assert 0.015 < inside.mean() < 0.34
        assert changed[inside].all()


def noise(erasing, channels):
    """Values of all erased pixels of many gray images, `(pixels, channels)`."""
    image = np.full((64, 64, channels), 1000, "float32")  # far outside the noise
    found = draws(lambda seed: erasing(image, seed), 200)
    return found[(found != 1000).all(axis=-1)]


def test_normalized_noise_is_standard_normal():
    values = (noise(RandomErasing(prob=1.0), 3) / 255 - MEAN) / STD
    assert len(values) > 100_000
    np.testing.assert_allclose(values.mean(axis=0), 0, atol=0.015)
    np.testing.assert_allclose(values.std(axis=0), 1, atol=0.01)
    np.testing.assert_allclose(np.corrcoef(values.T), np.eye(3), atol=0.015)
    within_one = (np.abs(values) < 1).mean()
    assert within_one == pytest.approx(math.erf(math.sqrt(0.5)), abs=0.005)
    neighbors = np.corrcoef(values[:-1, 0], values[1:, 0])[0, 1]
    assert abs(neighbors) < 0.015


@pytest.mark.parametrize("channels", [1, 4])
def test_other_numbers_of_channels_have_the_mean_statistics(channels):
    values = noise(RandomErasing(prob=1.0), channels) / 255
    np.testing.assert_allclose(values.mean(axis=0), MEAN.mean(), atol=0.005)
    np.testing.assert_allclose(values.std(axis=0), STD.mean(), atol=0.005)


def test_statistics_can_be_those_of_another_model():
    values = noise(RandomErasing(prob=1.0, mean=(0.5,) * 3, std=(0.5,) * 3), 3) / 255
    np.testing.assert_allclose(values.mean(axis=0), 0.5, atol=0.01)
    np.testing.assert_allclose(values.std(axis=0), 0.5, atol=0.01)


def test_equal_seeds_erase_equally():
    erasing, image = RandomErasing(prob=1.0), tf.constant(photograph(32, 32))
    first, second = erasing(image, (1, 2)), erasing(image, tf.constant([1, 2]))
    np.testing.assert_array_equal(first, second)
    assert (first != erasing(image, (1, 3))).numpy().any()


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_shapes_are_known_in_a_pipeline(dtype):
    images = tf.data.Dataset.from_tensors(photograph(32, 48).astype(dtype)).repeat(9)
    erased = images.enumerate().map(
        lambda n, image: RandomErasing(prob=0.5)(image, tf.stack([n, 0]))
    )
    assert erased.element_spec == tf.TensorSpec((32, 48, 3), "float32")
    changed = [(image != photograph(32, 48)).numpy().any() for image in erased]
    assert 0 < sum(changed) < 9


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"prob": 1.5}, "prob=1.5"),
        ({"min_area": 0.5, "max_area": 0.2}, "min_area=0.5, max_area=0.2"),
        ({"max_area": 1.5}, "max_area=1.5"),
        ({"min_aspect": 0.0}, "min_aspect=0.0"),
        ({"min_aspect": 3.0}, "min_aspect=3.0"),
        ({"mean": (0.5,)}, r"mean=\(0.5,\)"),
    ],
)
def test_settings_out_of_range_are_refused(options, named):
    with pytest.raises(ValueError, match=named):
        RandomErasing(**options)


def test_unknown_channels_are_refused():
    erasing = tf.function(
        lambda image: RandomErasing()(image, (0, 0)),
        input_signature=[tf.TensorSpec((None, None, None), "uint8")],
    )
    with pytest.raises(ValueError, match=r"shape \(None, None, None\)"):
        erasing(tf.zeros((4, 4, 3), "uint8"))
