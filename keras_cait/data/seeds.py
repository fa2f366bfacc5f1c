"""Seeds of all random choices of the data pipeline, derived from the run's seed."""

import tensorflow as tf

from keras_cait.typing import Tensor


def derive_seed(seed: Tensor | int, *places: Tensor | int) -> Tensor:
    """A seed for one place of a run, for TensorFlow's stateless functions.

    The same seed and place give the same numbers, whatever was drawn before. So a run
    repeats exactly, and resumes exactly from the middle.

    Args:
        seed: Seed of the run, or a seed that this function returned.
        *places: Integers that name the place, such as epoch and sample.

    Returns:
        `(2,)` int32.

    Example:
        >>> derive_seed(0, 3, 7).shape
        TensorShape([2])
        >>> bool(tf.reduce_all(derive_seed(0, 3, 7) == derive_seed(0, 3, 8)))
        False

    """
    key = tf.constant([seed, 0], "int32") if isinstance(seed, int) else seed
    for place in places:
        key = tf.random.experimental.stateless_fold_in(key, place)
    return key
