"""Orders of images in many files: shuffled, resumed exactly, and read once."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from keras_cait.data import sharded_images
from keras_cait.data.batches import training_batches
from keras_cait.data.labeled_images import RandomSubset
from keras_cait.data.seeds import derive_seed
from tests.support.data.shards import label_of, sharded

LENGTHS = (501, 499, 700, 300, 1, 999)  # 3,000 in all
BATCH = 50


@pytest.fixture(scope="module")
def orders(images):
    """The orders of two seeds and two epochs."""
    return {
        (seed, epoch): labels_of(images, seed, 0, epoch)
        for seed in (0, 1)
        for epoch in (0, 1)
    }


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    return sharded(tmp_path_factory.mktemp("shards"), LENGTHS, block=400, piece=7)


def labels_of(images, *seed, **options):
    return numbers(images, images.shuffled(derive_seed(*seed), **options))


def numbers(images, keys):
    """The labels of all keys, which are the numbers of the images."""
    keys = [key for batch in keys.batch(1000).as_numpy_iterator() for key in batch]
    for key in keys[:1]:  # reading one image a key takes much longer
        assert int(images.read(tf.constant(key))[1]) == label_of(key)
    return np.array([label_of(key) for key in keys], int)


def test_images_come_in_order_and_samples_evenly_spread(images):
    assert images.number == 3000
    np.testing.assert_array_equal(numbers(images, images.in_order()), np.arange(3000))
    some = numbers(images, images.spread(10, 5))
    assert 40 < len(some) <= 50  # the last pieces of files are shorter
    assert np.bincount(some // 500).min() >= 5


def test_a_random_subset_covers_all_files(images):
    drawn = numbers(images, RandomSubset(images, 700, seed=0).in_order())
    assert len(drawn) == len(np.unique(drawn)) == 700
    assert np.bincount(drawn // 500, minlength=6).min() > 0
    assert RandomSubset(images, 9000, seed=0).number == 3000


def test_an_order_follows_from_the_seed_and_has_every_image_once(images, orders):
    np.testing.assert_array_equal(labels_of(images, 0, 0, 1), orders[0, 1])
    for order in orders.values():
        np.testing.assert_array_equal(np.sort(order), np.arange(3000))


def test_orders_of_neighbors_are_independent(orders):
    found = [*orders.values()]
    for one, other in itertools.combinations([np.arange(3000), *found], 2):
        # Pieces of seven are permuted as one, so it varies as if there were a seventh.
        assert abs(np.corrcoef(one, other)[0, 1]) < 4 * (7 / 3000) ** 0.5
    # Every part of an order has images of every file.
    files = np.searchsorted(np.cumsum(LENGTHS), np.array(found), side="right")
    for part in files.reshape(-1, 500):
        assert set(part) >= {0, 1, 2, 3, 5}


@pytest.mark.slow  # resuming a run is one case of it
@pytest.mark.parametrize("take", [1234, 3000])
def test_skipping_gives_the_rest_of_the_same_order(images, take):
    whole = labels_of(images, 3, take=take)
    assert len(set(whole)) == take
    for skip in (1, 400, 1199, take):
        rest = labels_of(images, 3, take=take, skip=skip)
        np.testing.assert_array_equal(rest, whole[skip:])


def count_of_records(monkeypatch):
    """A list that grows by the length of each piece that is read."""
    read = []
    records = sharded_images._records

    def counted(path, first, length):
        with tf.control_dependencies(
            [tf.py_function(lambda n: read.append(int(n)), [length], [])]
        ):
            return records(path, first, length)

    monkeypatch.setattr(sharded_images, "_records", counted)
    return read


@pytest.mark.parametrize("repeats", [3, pytest.param(1, marks=pytest.mark.slow)])
def test_an_epoch_reads_each_record_that_it_uses_once(images, repeats, monkeypatch):
    read = count_of_records(monkeypatch)
    batches = training_batches(
        images, [lambda record, seed: record], BATCH, epochs=1, seed=0, repeats=repeats
    )
    used = {int(label) for _, labels in batches for label in labels}
    assert len(used) >= 900
    assert sum(read) == len(used)


@pytest.mark.parametrize("first_step", [130, pytest.param(59, marks=pytest.mark.slow)])
def test_a_run_resumes_by_reading_one_block(images, first_step, monkeypatch):
    transforms = [lambda record, seed: record]
    run = training_batches(images, transforms, BATCH, epochs=3, seed=0)
    labels = [batch.numpy() for _, batch in run]
    read = count_of_records(monkeypatch)
    rest = training_batches(
        images, transforms, BATCH, epochs=3, seed=0, first_step=first_step
    )
    found = [batch.numpy() for _, batch in rest]
    np.testing.assert_array_equal(found, labels[first_step:])
    left = (180 - first_step) * BATCH
    assert left <= sum(read) < left + images.block
