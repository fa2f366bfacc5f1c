"""Conversion of float pixels to gray levels."""

import tensorflow as tf

from keras_cait.typing import Tensor


def to_gray_levels(pixels: Tensor) -> Tensor:
    """Pixels clipped to [0, 255] and rounded, halves to the even level, uint8.

    Example:
        >>> to_gray_levels(tf.constant([-3.0, 7.6, 300.0])).numpy()
        array([  0,   8, 255], dtype=uint8)

    """
    return tf.cast(tf.round(tf.clip_by_value(pixels, 0, 255)), "uint8")
