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
    """Blends with gray: `Color` of Pillow and of RandAugment.

    Example:
        >>> image = tf.constant([[[200, 100, 0]]], "uint8")
        >>> saturation(image, 0.5).numpy().tolist()
        [[[159, 109, 59]]]

    """
    return blend(luma(image)[..., None], image, factor)


@compiled
def contrast(image: Tensor, factor: Tensor) -> Tensor:
    """Blends with the mean gray of the image.

    Example:
        >>> image = tf.constant([[[0, 0, 0], [200, 200, 200]]], "uint8")
        >>> contrast(image, 0.5)[..., 0].numpy().tolist()
        [[50, 150]]

    """
    mean = tf.reduce_mean(tf.cast(luma(image), "float64"))
    return blend(tf.floor(mean + 0.5), image, factor)


@compiled
def brightness(image: Tensor, factor: Tensor) -> Tensor:
    """Blends with black.

    Example:
        >>> image = tf.constant([[[30, 100, 200]]], "uint8")
        >>> brightness(image, 1.5).numpy().tolist()
        [[[45, 150, 255]]]

    """
    return blend(tf.constant(0), image, factor)


@compiled
def grayscale(image: Tensor) -> Tensor:
    """The image in gray, with three channels.

    Example:
        >>> grayscale(tf.constant([[[200, 100, 0]]], "uint8")).numpy().tolist()
        [[[118, 118, 118]]]

    """
    return tf.repeat(tf.cast(luma(image), "uint8")[..., None], 3, axis=-1)


def blend(plain: Tensor, image: Tensor, factor: Tensor) -> Tensor:
    """`plain + factor * (image - plain)`, truncated: in float32 and this order."""
    plain, image = tf.cast(plain, "float32"), tf.cast(image, "float32")
    return tf.saturate_cast(
        plain + tf.cast(factor, "float32") * (image - plain), "uint8"
    )
