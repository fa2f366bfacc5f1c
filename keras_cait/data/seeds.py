"""Seeds of all random choices of the data pipeline, derived from the run's seed."""

import tensorflow as tf

from keras_cait.typing import Tensor


def derive_seed(seed: Tensor | int, *places: Tensor | int) -> Tensor:
    """A seed, `(2,)` int32, for one place of a run, such as an epoch and a sample.

    The same seed and place give the same numbers, whatever was drawn before. So a run
    repeats exactly, and resumes exactly from the middle.
    """
    key = tf.constant([seed, 0], "int32") if isinstance(seed, int) else seed
    for place in places:
        key = tf.random.experimental.stateless_fold_in(key, place)
    return key
