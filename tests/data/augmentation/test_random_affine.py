"""Random affine maps stay within their settings and follow from seeds."""

import numpy as np
import pytest
import tensorflow as tf

from keras_cait.data.augmentation.random_affine import RandomAffine

SEEDS = tf.stack([tf.range(200), tf.fill([200], 3)], axis=1)
IMAGES = np.random.default_rng(0).uniform(0, 255, (64, 12, 10, 3)).astype("float32")


def transformed(transform, images, seeds=SEEDS):
    """Each image with a seed of its own."""
    results = [transform(x, seed) for x, seed in zip(images, seeds, strict=False)]
    return np.stack(results)


def test_without_settings_nothing_changes():
    np.testing.assert_allclose(transformed(RandomAffine(), IMAGES), IMAGES, atol=1e-3)


def test_flip_mirrors_some_images_and_no_others():
    flipped = transformed(RandomAffine(flip=True), IMAGES)
    kept = np.isclose(flipped, IMAGES, atol=1e-3).all((1, 2, 3))
    mirrored = np.isclose(flipped, IMAGES[:, :, ::-1], atol=1e-3).all((1, 2, 3))
    assert np.all(mirrored != kept)
    assert 16 < mirrored.sum() < 48


@pytest.mark.parametrize(
    ("settings", "largest"),
    [({"shift": 0.2}, 2.4), ({"rotation": 10}, 1.5), ({"zoom": 0.2}, 1.6)],
)
def test_no_point_moves_further_than_the_settings_allow(settings, largest):
    """A bright dot on black, off the center, is found where it may have gone."""
    dots = np.zeros((200, 12, 12, 1), "float32")
    dots[:, 8, 9] = 255
    found = transformed(RandomAffine(**settings), dots)[..., 0]
    mass = found.sum((1, 2))
    rows = (found.sum(2) * np.arange(12)).sum(1) / mass
    columns = (found.sum(1) * np.arange(12)).sum(1) / mass
    moved = np.maximum(np.abs(rows - 8), np.abs(columns - 9))
    assert 0.4 * largest < moved.max() <= largest + 0.35


def test_equal_seeds_give_equal_images():
    transform = RandomAffine(shift=0.2, rotation=10, zoom=0.1, flip=True)
    image = IMAGES[0]
    np.testing.assert_array_equal(transform(image, (5, 6)), transform(image, (5, 6)))
    assert not np.allclose(transform(image, (5, 6)), transform(image, (5, 7)))
