"""Where every random choice of the data pipeline comes from."""

import tensorflow as tf

from keras_cait.typing import Tensor


def seed_of(seed: Tensor | int, *places: Tensor | int) -> Tensor:
    """A seed for one place of a run, for TensorFlow's stateless functions.

    The same seed and place give the same numbers whatever was drawn before, so a
    run repeats exactly, and goes on exactly from the middle.

    Args:
        seed: Of the run; or one that this function gave, to go on from.
        *places: What names the place, such as epoch and sample: integers.

    Returns:
        `(2,)` int32.

    Example:
        >>> seed_of(0, 3, 7).shape
        TensorShape([2])
        >>> bool(tf.reduce_all(seed_of(0, 3, 7) == seed_of(0, 3, 8)))
        False

    """
    key = tf.constant([seed, 0], "int32") if isinstance(seed, int) else seed
    for place in places:
        key = tf.random.experimental.stateless_fold_in(key, place)
    return key
