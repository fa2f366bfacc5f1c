"""Permutations of the sizes of real data sets are independent and complete."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from keras_cait.data.permutation import permutation
from keras_cait.data.seeds import derive_seed

BATCH = 1000
# CIFAR-10 has 50,000 images, ImageNet 1,281,167. Powers of two are the worst case of
# the block cipher.
SIZES = (20_000, 50_000, 65_000, 65_536, 1_281_167)


def order_of(number, seed):
    return permutation(number, seed)(tf.range(number, dtype="int64")).numpy()


def batches_shared_again(one, other):
    """Pairs of images in one batch of both orders, divided by the number expected."""
    number = len(one)
    batches = number // BATCH + 1
    joint = np.empty((2, number), "int64")
    joint[0, one] = joint[1, other] = np.arange(number) // BATCH
    together = np.bincount(joint[0] * batches + joint[1])
    in_one = np.bincount(joint[0])
    pairs = [(count * (count - 1) / 2).sum() for count in (together, in_one)]
    return pairs[0] / (pairs[1] ** 2 / (number * (number - 1) / 2))


@pytest.mark.parametrize("number", SIZES)
@pytest.mark.parametrize(
    "seeds",
    [
        [derive_seed(0, 0, epoch) for epoch in range(4)],
        [derive_seed(seed, 0, 0) for seed in range(4)],
        [(0, seed) for seed in range(4)],
    ],
    ids=["consecutive epochs", "neighboring seeds", "neighboring integers"],
)
def test_orders_of_neighbors_are_independent(number, seeds):
    orders = [order_of(number, seed) for seed in seeds]
    orders = [np.arange(number), *orders]
    for one, other in itertools.pairwise(orders):
        # Four standard deviations of the correlation of two random permutations.
        assert abs(np.corrcoef(one, other)[0, 1]) < 4 / number**0.5
        assert batches_shared_again(one, other) == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("number", [1, 2, 3, 1000, 50_000])
def test_every_integer_comes_once(number):
    for seed in range(3):
        np.testing.assert_array_equal(
            np.sort(order_of(number, (seed, 0))), np.arange(number)
        )
