"""Luma of color images, as Pillow computes it."""

import tensorflow as tf

from keras_cait.typing import Tensor


def luma(image: Tensor) -> Tensor:
    """Luma of ITU-R 601-2, rounded: `(height, width)` int32 in [0, 255]."""
    red, green, blue = tf.unstack(tf.cast(image, "int32"), axis=-1)
    total = 19595 * red + 38470 * green + 7471 * blue + 2**15  # in 65536ths
    return tf.bitwise.right_shift(total, 16)
