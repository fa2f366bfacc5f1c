"""Saturation, contrast, brightness and grayscale, as in Pillow.

All functions take an image, `(height, width, 3)` uint8, and return the same shape and
type. A factor of 0 gives the plain image, 1 the image itself, more a stronger effect.

They equal Pillow's `ImageEnhance`: `plain + factor * (image - plain)`, truncated to an
integer in [0, 255]. Keras's layers round, or draw the factor themselves.
"""

import tensorflow as tf

from keras_cait.data.augmentation.compilation import compiled
from keras_cait.data.images.luma import luma
from keras_cait.typing import Tensor


@compiled
def saturation(image: Tensor, factor: Tensor) -> Tensor:
    """Blends with gray: `Color` of Pillow and of RandAugment."""
    return blend(luma(image)[..., None], image, factor)


@compiled
def contrast(image: Tensor, factor: Tensor) -> Tensor:
    """Blends with the mean gray of the image."""
    mean = tf.reduce_mean(tf.cast(luma(image), "float64"))
    return blend(tf.floor(mean + 0.5), image, factor)


@compiled
def brightness(image: Tensor, factor: Tensor) -> Tensor:
    """Blends with black."""
    return blend(tf.constant(0), image, factor)


@compiled
def grayscale(image: Tensor) -> Tensor:
    """The image in gray, with three channels."""
    return tf.repeat(tf.cast(luma(image), "uint8")[..., None], 3, axis=-1)


def blend(plain: Tensor, image: Tensor, factor: Tensor) -> Tensor:
    """`plain + factor * (image - plain)`, truncated: in float32 and this order."""
    plain, image = tf.cast(plain, "float32"), tf.cast(image, "float32")
    return tf.saturate_cast(
        plain + tf.cast(factor, "float32") * (image - plain), "uint8"
    )
