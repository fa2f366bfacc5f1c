"""Digits and data sets of TensorFlow Datasets."""

import numpy as np
import pytest
import tensorflow as tf

from keras_cait.data.datasets import load_dataset


def test_digits_are_split_alike_each_time():
    one, two = load_dataset(), load_dataset("digits")
    pairs = zip(one.test.take(20), two.test.take(20), strict=True)
    for (image, label), (other, other_label) in pairs:
        np.testing.assert_array_equal(image, other)
        assert int(label) == int(other_label)
    labels = [int(label) for _, label in one.test]
    assert len(labels) == one.num_test
    assert np.bincount(labels).min() > 0.8 * one.num_test / 10


def test_digits_in_training_and_test_differ():
    digits = load_dataset("digits")
    train = {image.numpy().tobytes() for image, _ in digits.train}
    test = {image.numpy().tobytes() for image, _ in digits.test}
    assert not train & test


def test_limit_and_size():
    digits = load_dataset("digits", image_size=16, limit=40)
    assert (digits.num_train, digits.num_test) == (40, 40)
    assert digits.image_shape == (16, 16, 1)
    assert next(iter(digits.train))[0].shape == (16, 16, 1)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A real data set in the files of TensorFlow Datasets."""
    import tensorflow_datasets as tfds

    folder = tmp_path_factory.mktemp("tfds")

    def examples(number):
        images = np.full((number, 10, 10, 3), 7, np.uint8)
        pairs = tf.data.Dataset.from_tensor_slices((images, np.arange(number) % 3))
        return pairs.map(lambda image, label: {"image": image, "label": label})

    tfds.dataset_builders.store_as_tfds_dataset(
        name="tiny_images",
        version="1.0.0",
        data_dir=folder,
        features=tfds.features.FeaturesDict(
            {
                "image": tfds.features.Image(shape=(10, 10, 3)),
                "label": tfds.features.ClassLabel(names=["a", "b", "c"]),
            }
        ),
        split_datasets={"train": examples(12), "test": examples(6)},
    )
    return folder


def test_a_set_of_tensorflow_datasets(prepared):
    data = load_dataset("tiny_images", data_dir=prepared, limit=9)
    assert data.class_names == ("a", "b", "c")
    assert (data.num_train, data.num_test) == (9, 6)
    assert data.image_shape == (10, 10, 3)
    image, label = next(iter(data.train))
    assert image.dtype == tf.uint8
    assert label.dtype == tf.int64


def test_an_unknown_name_gets_the_nearest():
    with pytest.raises(ValueError, match=r"cifra10.*Nearest: cifar10"):
        load_dataset("cifra10")


@pytest.mark.parametrize("options", [{"limit": 0}, {"image_size": 0}])
def test_numbers_below_one_are_refused(options):
    with pytest.raises(ValueError, match="must be 1 or more"):
        load_dataset("digits", **options)
