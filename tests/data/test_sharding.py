"""Batches of many workers together equal those of one worker."""

import numpy as np
import pytest
import tensorflow as tf

from keras_cait.data.augmentation.random_affine import RandomAffine
from keras_cait.data.batches import evaluation_batches, training_batches
from keras_cait.data.images.evaluation_transform import EvaluationTransform
from keras_cait.data.labeled_images import images_in_memory
from keras_cait.data.mixing import Mixing
from keras_cait.data.sharding import Shard
from keras_cait.data.sources.load import load_dataset
from tests.support.data.shards import sharded

DIGITS = load_dataset("digits", limit=50)


def whole(record, seed):
    return record


def train(shard, batch_size=16, images=DIGITS.train, **options):
    batches = training_batches(
        images,
        [whole, RandomAffine(shift=0.2)],
        batch_size,
        **{"epochs": 2, "seed": 7, "shard": shard, **options},
    )
    assert batches.cardinality() == len(list(batches))
    return [tuple(map(np.asarray, batch)) for batch in batches]


def places(count, batch_size, *, paired):
    """Places in the batch of the images of all workers, one worker after the other."""
    held = [
        np.flatnonzero(
            Shard(index, count).holds(np.arange(batch_size), batch_size, paired=paired)
        )
        for index in range(count)
    ]
    return np.concatenate(held)


def assert_same(parts, batch, order):
    for found, expected in zip(zip(*parts, strict=True), batch, strict=True):
        # Averages of pixels may be rounded differently in another place of the batch.
        np.testing.assert_allclose(
            np.concatenate(found), expected[order], rtol=1e-5, atol=1e-5
        )


@pytest.mark.parametrize("count", [2, pytest.param(4, marks=pytest.mark.slow)])
@pytest.mark.parametrize("mixing", [None, Mixing(), Mixing(cutmix_alpha=0.0)])
def test_workers_together_read_the_batches_of_one(count, mixing):
    """The mixed images, and the labels with them; from the middle too."""
    options = {"mixing": mixing, "classes": 10, "first_step": 1, "repeats": 2}
    one = train(Shard(), **options)
    many = [train(Shard(index, count), **options) for index in range(count)]
    order = places(count, 16, paired=mixing is not None)
    assert sorted(order) == list(range(16))
    assert len(one) == 5
    for step, batch in enumerate(one):
        parts = [worker[step] for worker in many]
        assert [len(y) for _, y in parts] == [16 // count] * count
        assert_same(parts, batch, order)


def test_each_replica_of_a_worker_gets_its_own_batch():
    options = {"mixing": Mixing(), "classes": 10}
    one = train(Shard(), **options)
    many = [train(Shard(index, 2, replicas=2), **options) for index in range(2)]
    for step, batch in enumerate(one):
        parts = [part for worker in many for part in worker[2 * step : 2 * step + 2]]
        assert [len(y) for _, y in parts] == [4] * 4
        assert_same(parts, batch, places(2, 16, paired=True))


def test_a_worker_decodes_only_its_own_images():
    read = []

    def reader(index):
        tf.py_function(lambda found: read.append(int(found)), [index], [])
        return tf.zeros((4, 4, 3), "uint8"), index

    images = images_in_memory(np.zeros((64, 1, 1, 1), "uint8"), np.arange(64))
    images = type(images)(64, reader)
    list(training_batches(images, [whole], 16, epochs=1, seed=0, shard=Shard(1, 2)))
    assert len(read) == 32


def test_workers_divide_record_files(tmp_path):
    images = sharded(tmp_path, (13, 7, 20))
    options = {"first_step": 2, "repeats": 2}
    one = train(Shard(), 10, images, **options)
    many = [train(Shard(index, 2), 10, images, **options) for index in (0, 1)]
    for step, batch in enumerate(one):
        assert_same([worker[step] for worker in many], batch, slice(None))
    found = [evaluate(Shard(index, 2), 12, images) for index in (0, 1)]
    found = [[y for _, y in worker] for worker in found]
    assert [[len(y) for y in worker] for worker in found] == [[6, 6, 6, 2]] * 2
    assert sorted(np.concatenate(found[0] + found[1])) == list(range(40))


def evaluate(shard, batch_size=16, images=DIGITS.test):
    size = images.read(next(iter(images.in_order())))[0].shape[:2]
    transform = EvaluationTransform(image_size=tuple(size), crop_pct=1.0)
    batches = evaluation_batches(images, transform, batch_size, shard=shard)
    assert batches.cardinality() == len(list(batches))
    return [tuple(map(np.asarray, batch)) for batch in batches]


@pytest.mark.parametrize(
    ("batch_size", "count", "replicas"),
    [(16, 2, 1), (16, 2, 2), (48, 4, 1), (64, 2, 1), (50, 2, 1), (48, 2, 2)],
)
def test_every_test_image_is_evaluated_once(batch_size, count, replicas):
    """Steps are as many on each replica, also where it has nothing left."""
    one = evaluate(Shard(), batch_size)
    many = [
        evaluate(Shard(index, count, replicas), batch_size) for index in range(count)
    ]
    assert {len(worker) for worker in many} == {len(one) * replicas}
    for step, batch in enumerate(one):
        place = slice(step * replicas, (step + 1) * replicas)
        parts = [part for worker in many for part in worker[place]]
        for found, expected in zip(zip(*parts, strict=True), batch, strict=True):
            np.testing.assert_array_equal(np.concatenate(found), expected)


@pytest.mark.parametrize(
    ("shard", "batch_size", "message"),
    [
        (Shard(0, 3), 16, "multiple of 3.*batch_size=16. Take 15 or 18"),
        (Shard(replicas=8), 20, "multiple of 8.*batch_size=20. Take 16 or 24"),
        (Shard(0, 2, replicas=16), 17, "multiple of 32.*batch_size=17. Take 32"),
    ],
)
def test_a_batch_size_that_does_not_divide_is_refused(shard, batch_size, message):
    with pytest.raises(ValueError, match=message):
        train(shard, batch_size)


def test_a_mixed_batch_must_divide_into_pairs():
    assert len(train(Shard(0, 2), 18)) == 4
    with pytest.raises(ValueError, match=r"multiple of 4.*in pairs.*Take 16 or 20"):
        train(Shard(0, 2), 18, mixing=Mixing(), classes=10)


@pytest.mark.parametrize("options", [{"index": 2, "count": 2}, {"replicas": 0}])
def test_an_index_or_replica_count_out_of_range_is_refused(options):
    with pytest.raises(ValueError, match="Received: Shard"):
        Shard(**options)
