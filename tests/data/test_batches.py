"""Batches repeat exactly, from the start or from the middle of a run."""

import numpy as np
import pytest
import tensorflow as tf

from keras_cait.data.augmentation.random_affine import RandomAffine
from keras_cait.data.batches import (
    evaluation_batches,
    steps_per_epoch,
    training_batches,
)
from keras_cait.data.images.evaluation_transform import EvaluationTransform
from keras_cait.data.labeled_images import images_in_memory
from keras_cait.data.mixing import Mixing
from keras_cait.data.sources.load import load_dataset

DIGITS = load_dataset("digits", limit=40)
NUMBERED = images_in_memory(
    np.arange(600, dtype="uint32").view("uint8").reshape(600, 1, 1, 4), np.arange(600)
)


def whole(record, seed):
    return record


def batches_of(images=DIGITS.train, transforms=None, **options):
    transforms = [whole, RandomAffine(shift=0.2)] if transforms is None else transforms
    settings = {"epochs": 2, "seed": 7, **options}
    batches = training_batches(
        images, transforms, settings.pop("batch_size", 16), **settings
    )
    return [tuple(map(np.asarray, batch)) for batch in batches]


def test_runs_repeat_and_epochs_differ():
    one, two = batches_of(), batches_of()
    assert len(one) == 4
    for (x, y), (again, labels) in zip(one, two, strict=True):
        np.testing.assert_array_equal(x, again)
        np.testing.assert_array_equal(y, labels)
    assert not np.array_equal(one[0][0], one[2][0])
    assert not np.array_equal(one[0][0], batches_of(seed=8)[0][0])
    assert one[0][0].dtype == np.float32


@pytest.mark.parametrize("first_step", [1, 3])
@pytest.mark.parametrize("repeats", [1, 2])
def test_a_run_resumes_with_the_same_batches(first_step, repeats):
    options = {"mixing": Mixing(), "classes": 10, "repeats": repeats}
    expected = batches_of(**options)[first_step:]
    found = batches_of(**options, first_step=first_step)
    assert len(found) == len(expected)
    for (x, y), (x0, y0) in zip(found, expected, strict=True):
        np.testing.assert_array_equal(x, x0)
        np.testing.assert_array_equal(y, y0)


@pytest.mark.parametrize("repeats", [1, 3])
def test_a_run_resumes_within_a_late_epoch(repeats):
    """From every step on, over more epochs than one, what is left is the same."""
    options = {"batch_size": 64, "epochs": 4, "repeats": repeats}
    labels = np.stack([y for _, y in batches_of(NUMBERED, [whole], **options)])
    for first_step in range(5, len(labels), 11):
        rest = batches_of(NUMBERED, [whole], **options, first_step=first_step)
        np.testing.assert_array_equal(
            np.stack([y for _, y in rest]), labels[first_step:]
        )


def test_consecutive_epochs_of_20000_images_are_independent():
    number = 20_000
    images = images_in_memory(np.zeros((number, 1, 1, 1), "uint8"), np.arange(number))
    batches = batches_of(images, [whole], batch_size=1000)
    epochs = np.concatenate([y for _, y in batches]).reshape(2, number)
    assert abs(np.corrcoef(epochs)[0, 1]) < 4 / number**0.5


def test_an_epoch_holds_every_image_once():
    labels = [y for _, y in batches_of(NUMBERED, [whole], batch_size=100)]
    for epoch in (labels[:6], labels[6:]):
        assert sorted(np.concatenate(epoch)) == list(range(600))


def test_repeated_augmentation_has_a_third_of_the_images_three_times():
    """As in the official sampler: 600 images make epochs of 512 samples."""
    x, y = zip(
        *batches_of(
            NUMBERED,
            [
                whole,
                lambda image, seed: (
                    tf.cast(image, "float32") + tf.cast(seed[0], "float32")
                ),
            ],
            batch_size=128,
            repeats=3,
        ),
        strict=True,
    )
    assert len(y) == 8
    epoch = np.concatenate(y[:4])
    np.testing.assert_array_equal(epoch[:510].reshape(170, 3).std(axis=1), 0)
    assert len(set(epoch)) == 171
    images = np.concatenate(x[:4])[:3, 0, 0, 0]
    assert len(set(images)) == 3


def test_the_length_of_an_epoch():
    assert steps_per_epoch(1_281_167, 1024) == 1251
    assert steps_per_epoch(1_281_167, 1024, repeats=3) == 1251
    assert steps_per_epoch(100, 40, repeats=3) == 2
    with pytest.raises(ValueError, match=r"at most the 30 images.*batch_size=32"):
        steps_per_epoch(30, 32)


@pytest.mark.parametrize("repeats", [1, 3])
@pytest.mark.parametrize(
    ("images", "batch_size", "accumulation_steps"),
    [
        (600, 25, 4),
        (600, 10, 21),
        pytest.param(50_000, 100, 21, marks=pytest.mark.slow),
    ],
)
def test_accumulated_batches_hold_the_images_of_one_large_batch(
    images, batch_size, accumulation_steps, repeats
):
    """Also where they do not divide an epoch."""
    numbered = images_in_memory(np.zeros((images, 1, 1, 1), "uint8"), np.arange(images))
    size = batch_size * accumulation_steps
    large = batches_of(numbered, [whole], batch_size=size, repeats=repeats)
    parts = batches_of(
        numbered,
        [whole],
        batch_size=batch_size,
        accumulation_steps=accumulation_steps,
        repeats=repeats,
    )
    assert len(parts) == len(large) * accumulation_steps
    labels = np.concatenate([y for _, y in parts]).reshape(-1, size)
    np.testing.assert_array_equal(labels, np.stack([y for _, y in large]))


def test_a_step_of_more_images_than_an_epoch_is_refused():
    assert steps_per_epoch(179, 8, accumulation_steps=4) == 20
    message = r"at most the 30 images.*batch_size=8, accumulation_steps=4\. Lower"
    with pytest.raises(ValueError, match=message):
        steps_per_epoch(30, 8, accumulation_steps=4)


def test_mixing_gives_soft_labels():
    ((x, y), *_) = batches_of(mixing=Mixing(), classes=10)
    assert y.shape == (16, 10)
    np.testing.assert_allclose(y.sum(-1), 1, rtol=1e-6)
    assert x.shape == (16, 8, 8, 1)


def test_evaluation_batches_hold_every_image_once_unchanged():
    transform = EvaluationTransform(image_size=(8, 8), crop_pct=1.0)
    batches = list(evaluation_batches(DIGITS.test, transform, 16))
    assert [len(labels) for _, labels in batches] == [16, 16, 8]
    images = tf.concat([images for images, _ in batches], axis=0)
    expected = [DIGITS.test.read(key)[0] for key in DIGITS.test.in_order()]
    np.testing.assert_array_equal(images, np.stack(expected))
