"""Random orders: of any length without memory, and of short lists."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from keras_cait.typing import Tensor

ORDER_VERSION = 2
"""Version of the orders that seeds give. A run is not resumed across versions."""

_ROUNDS = 8  # TensorFlow's default, 4, leaves orders of consecutive seeds alike


def permutation(number: Tensor | int, seed: Tensor) -> Callable[[Tensor], Tensor]:
    """A random permutation of the integers from 0 to `number` - 1.

    Maps integer places, of any shape, to the int64 integers at these places. The key of
    the permutation is drawn from the seed: seeds of consecutive epochs differ in one
    bit, and the block cipher behind the permutation spreads a single bit slowly
    (https://www.tensorflow.org/api_docs/python/tf/raw_ops/RandomIndexShuffle).
    """
    key = tf.random.stateless_uniform((3,), seed, 0, tf.int32.max, "int32")
    last = tf.cast(number, "int64") - 1

    def integer_at(place: Tensor) -> Tensor:
        return tf.raw_ops.RandomIndexShuffle(
            index=tf.cast(place, "int64"), seed=key, max_index=last, rounds=_ROUNDS
        )

    return integer_at


def shuffled_indices(number: int, limit: int | None) -> np.ndarray:
    """Indices of all items, or of `limit` of them, in the same order on every call."""
    return np.random.default_rng(0).permutation(number)[:limit]
