"""Digits and data sets of TensorFlow Datasets."""

import numpy as np
import pytest
import tensorflow as tf

from keras_cait.data.datasets import load_dataset
from keras_cait.data.decoding import decode


def all_of(images):
    """Every record and label."""
    pairs = [images.read(key) for key in images.in_order()]
    records, labels = zip(*pairs, strict=True)
    return np.stack([np.asarray(record) for record in records]), np.array(labels)


def test_digits_are_split_alike_each_time():
    one, two = load_dataset(), load_dataset("digits")
    (images, labels), (others, other_labels) = (all_of(d.test) for d in (one, two))
    np.testing.assert_array_equal(images, others)
    np.testing.assert_array_equal(labels, other_labels)
    assert len(labels) == one.test.number
    assert np.bincount(labels).min() > 0.8 * one.test.number / 10


def test_digits_in_training_and_test_differ():
    digits = load_dataset("digits")
    train, test = (all_of(part)[0] for part in (digits.train, digits.test))
    assert not {x.tobytes() for x in train} & {x.tobytes() for x in test}


def test_limit():
    digits = load_dataset("digits", limit=40)
    assert (digits.train.number, digits.test.number) == (40, 40)
    assert all_of(digits.train)[0].shape == (40, 8, 8, 1)


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
    assert (data.train.number, data.test.number) == (9, 6)
    assert data.image_shape == (10, 10, 3)
    images, labels = all_of(data.train)
    assert len(set(images)) == 1  # encoded as they are in the files
    np.testing.assert_array_equal(decode(tf.constant(images[0])), 7)
    assert labels.dtype == np.int64


def test_an_unknown_name_gets_the_nearest():
    with pytest.raises(ValueError, match=r"cifra10.*Nearest: cifar10"):
        load_dataset("cifra10")


def test_a_limit_below_one_is_refused():
    with pytest.raises(ValueError, match="must be 1 or more"):
        load_dataset("digits", limit=0)
