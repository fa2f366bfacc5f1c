"""Assertions inside of TensorFlow graphs."""

import tensorflow as tf

from keras_cait.typing import Tensor


def with_assertion(value: Tensor, condition: Tensor, message: Tensor | str) -> Tensor:
    """The value, after a check of a scalar condition inside of a graph.

    Operations on the result run after the check, which raises
    `tf.errors.InvalidArgumentError` with the message.
    """
    check = tf.debugging.Assert(condition, [message])
    # Eager execution checks at once, and gives None.
    with tf.control_dependencies([] if check is None else [check]):
        return tf.identity(value)
