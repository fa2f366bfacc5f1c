"""Limits on the size of images to decode."""

import tensorflow as tf

from keras_cait.typing import Tensor

MAX_PIXELS = 50_000_000  # of phones' cameras; 2 GB while it is resized
MAX_SIDE = 65_500  # pixels, the longest that a JPEG can have in libjpeg


def is_allowed(height: Tensor, width: Tensor) -> Tensor:
    """Whether an image of that size may be decoded, a scalar."""
    height, width = tf.cast(height, "int64"), tf.cast(width, "int64")
    sides = (height > 0) & (width > 0) & (height <= MAX_SIDE) & (width <= MAX_SIDE)
    return sides & (height * width <= MAX_PIXELS)
