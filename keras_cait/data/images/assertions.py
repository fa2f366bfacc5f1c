"""Assertions inside of TensorFlow graphs."""

import tensorflow as tf

from keras_cait.typing import Tensor


def with_assertion(value: Tensor, condition: Tensor, message: Tensor | str) -> Tensor:
    """The value, after a check of a scalar condition.

    Operations on the result run after the check.

    Raises:
        tf.errors.InvalidArgumentError: With the message, if the condition is false.

    Example:
        >>> int(with_assertion(tf.constant(7), tf.constant(2) > 1, "too small"))
        7

    """
    check = tf.debugging.Assert(condition, [message])
    # Eager execution checks at once, and gives None.
    with tf.control_dependencies([] if check is None else [check]):
        return tf.identity(value)
