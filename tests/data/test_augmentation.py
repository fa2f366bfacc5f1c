"""Views are what their settings say, and follow from their seeds."""

import numpy as np
import pytest
import tensorflow as tf

from keras_cait.data.augmentation import Augmentation
from keras_cait.data.batches import evaluation_batches, training_batches
from keras_cait.data.datasets import load_dataset

IMAGES = np.random.default_rng(0).uniform(0, 255, (64, 12, 10, 3)).astype("float32")


def test_without_settings_nothing_changes():
    np.testing.assert_allclose(Augmentation()(IMAGES, (1, 2)), IMAGES, atol=1e-3)


def test_flip_mirrors_some_images_and_no_others():
    flipped = Augmentation(flip=True)(IMAGES, (1, 2)).numpy()
    kept = np.isclose(flipped, IMAGES, atol=1e-3).all((1, 2, 3))
    mirrored = np.isclose(flipped, IMAGES[:, :, ::-1], atol=1e-3).all((1, 2, 3))
    assert np.all(mirrored != kept)
    assert 16 < mirrored.sum() < 48


@pytest.mark.parametrize(
    ("settings", "largest"),
    [({"shift": 0.2}, 2.4), ({"rotation": 10}, 1.5), ({"zoom": 0.2}, 1.6)],
)
def test_no_point_moves_further_than_asked(settings, largest):
    """A bright dot on black, off the centre, is found where it may have gone."""
    dots = np.zeros((200, 12, 12, 1), "float32")
    dots[:, 8, 9] = 255
    views = Augmentation(**settings)(dots, (3, 4)).numpy()[..., 0]
    mass = views.sum((1, 2))
    rows = (views.sum(2) * np.arange(12)).sum(1) / mass
    columns = (views.sum(1) * np.arange(12)).sum(1) / mass
    moved = np.maximum(np.abs(rows - 8), np.abs(columns - 9))
    assert 0.4 * largest < moved.max() <= largest + 0.35


def test_same_seed_same_views():
    views = Augmentation(shift=0.2, rotation=10, zoom=0.1, flip=True)
    np.testing.assert_array_equal(views(IMAGES, (5, 6)), views(IMAGES, (5, 6)))
    assert not np.allclose(views(IMAGES, (5, 6)), views(IMAGES, (5, 7)))


def test_epochs_differ_and_runs_repeat():
    digits = load_dataset("digits", limit=40)
    views = Augmentation(shift=0.1)
    epochs = []
    for _ in range(2):
        batches = training_batches(digits, 16, views, seed=7)
        epochs.append([[x.numpy() for x, _ in batches] for _ in range(2)])
    assert len(epochs[0][0]) == 2
    np.testing.assert_array_equal(epochs[0], epochs[1])
    assert not np.array_equal(epochs[0][0], epochs[0][1])
    other = training_batches(digits, 16, views, seed=8)
    assert not np.array_equal(epochs[0][0][0], next(iter(other))[0])


def test_evaluation_sees_every_image_once_as_it_is():
    digits = load_dataset("digits", limit=40)
    batches = list(evaluation_batches(digits, 16))
    assert [len(labels) for _, labels in batches] == [16, 16, 8]
    images = tf.concat([images for images, _ in batches], axis=0)
    expected = np.stack([image for image, _ in digits.test.as_numpy_iterator()])
    np.testing.assert_array_equal(images, expected)
