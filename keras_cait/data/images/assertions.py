"""Conditions that a graph checks before it computes what depends on them."""

import tensorflow as tf

from keras_cait.typing import Tensor


def required(condition: Tensor, message: Tensor | str, value: Tensor) -> Tensor:
    """The value, where a condition holds.

    Args:
        condition: A scalar, bool.
        message: A scalar string.
        value: Any tensor.

    Returns:
        The value; what is computed from it is computed after the check.

    Raises:
        tf.errors.InvalidArgumentError: With the message, if it does not hold.

    Example:
        >>> int(required(tf.constant(2) > 1, "too small", tf.constant(7)))
        7

    """
    check = tf.debugging.Assert(condition, [message])
    # None outside of a graph, where the check is done.
    with tf.control_dependencies([] if check is None else [check]):
        return tf.identity(value)
