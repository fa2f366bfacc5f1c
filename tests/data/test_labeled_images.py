"""Orders of indexed images are permutations that follow from a seed."""

import numpy as np
import tensorflow as tf

from keras_cait.data.labeled_images import images_in_memory

PIXELS = np.arange(60, dtype="uint8").reshape(20, 3, 1, 1)
LABELS = np.arange(20) % 3


def all_of(images, keys):
    read = [images.read(key) for key in keys]
    return [(int(record.numpy()[0, 0, 0]), int(label)) for record, label in read]


def test_in_order_gives_the_stored_order():
    images = images_in_memory(PIXELS, LABELS)
    expected = [(3 * index, index % 3) for index in range(20)]
    assert all_of(images, images.in_order()) == expected


def test_a_shuffled_order_is_a_permutation_of_the_seed():
    images = images_in_memory(PIXELS, LABELS)
    orders = [all_of(images, images.shuffled((0, seed))) for seed in (1, 1)]
    assert orders[0] == orders[1]
    assert orders[0] != all_of(images, images.in_order())
    assert sorted(orders[0]) == sorted(all_of(images, images.in_order()))


def test_take_and_skip_give_a_part_of_the_order():
    images = images_in_memory(PIXELS, LABELS)
    order = all_of(images, images.shuffled((0, 1)))
    assert all_of(images, images.shuffled((0, 1), take=15, skip=4)) == order[4:15]


def test_other_seeds_give_other_orders():
    images = images_in_memory(PIXELS, LABELS)
    orders = {tuple(map(int, images.shuffled((0, seed)))) for seed in range(50)}
    assert len(orders) == 50


def test_every_image_comes_to_every_place():
    """The first image of an order is each one equally often."""
    images = images_in_memory(PIXELS[:5], LABELS[:5])
    firsts = tf.data.Dataset.range(500).flat_map(
        lambda seed: images.shuffled((seed, 7)).take(1)
    )
    counts = np.bincount(list(firsts.as_numpy_iterator()), minlength=5)
    assert counts.sum() == 500
    assert counts.min() > 70


def test_encoded_images_are_stored_unchanged():
    images = images_in_memory([b"one", b"other"], [0, 1])
    record, label = images.read(tf.constant(1))
    assert (record.numpy(), int(label)) == (b"other", 1)
