"""Colors of an image moved towards a plainer one, or away from it, as in Pillow.

Pillow's `ImageEnhance`: `plain + factor * (image - plain)`, cut off to an integer, not
rounded, and kept in [0, 255]. Keras' layers round, or draw the factor themselves.
"""

import tensorflow as tf

from keras_cait.data.augmentation.compilation import compiled
from keras_cait.data.images.luma import luma
from keras_cait.typing import Tensor


@compiled
def saturation(image: Tensor, factor: Tensor) -> Tensor:
    """Away from gray, or towards it: `Color` of Pillow and of RandAugment.

    Args:
        image: `(height, width, 3)` uint8.
        factor: 0 gives gray, 1 the image, more gives stronger colors.

    Returns:
        The same shape, uint8.

    Example:
        >>> image = tf.constant([[[200, 100, 0]]], "uint8")
        >>> saturation(image, 0.5).numpy().tolist()
        [[[159, 109, 59]]]

    """
    return blend(luma(image)[..., None], image, factor)


@compiled
def contrast(image: Tensor, factor: Tensor) -> Tensor:
    """Away from the mean gray of the image, or towards it.

    Args:
        image: `(height, width, 3)` uint8.
        factor: 0 gives the mean gray, 1 the image, more gives stronger contrast.

    Returns:
        The same shape, uint8.

    Example:
        >>> image = tf.constant([[[0, 0, 0], [200, 200, 200]]], "uint8")
        >>> contrast(image, 0.5)[..., 0].numpy().tolist()
        [[50, 150]]

    """
    mean = tf.reduce_mean(tf.cast(luma(image), "float64"))
    return blend(tf.floor(mean + 0.5), image, factor)


@compiled
def brightness(image: Tensor, factor: Tensor) -> Tensor:
    """Away from black, or towards it.

    Args:
        image: `(height, width, 3)` uint8.
        factor: 0 gives black, 1 the image, more gives a brighter one.

    Returns:
        The same shape, uint8.

    Example:
        >>> image = tf.constant([[[30, 100, 200]]], "uint8")
        >>> brightness(image, 1.5).numpy().tolist()
        [[[45, 150, 255]]]

    """
    return blend(tf.constant(0), image, factor)


@compiled
def grayscale(image: Tensor) -> Tensor:
    """The image in gray, still with three channels.

    Args:
        image: `(height, width, 3)` uint8.

    Returns:
        The same shape, uint8.

    Example:
        >>> grayscale(tf.constant([[[200, 100, 0]]], "uint8")).numpy().tolist()
        [[[118, 118, 118]]]

    """
    return tf.repeat(tf.cast(luma(image), "uint8")[..., None], 3, axis=-1)


def blend(plain: Tensor, image: Tensor, factor: Tensor) -> Tensor:
    """Both weighted in float32, in this order, since what follows is cut off."""
    plain, image = tf.cast(plain, "float32"), tf.cast(image, "float32")
    return tf.saturate_cast(
        plain + tf.cast(factor, "float32") * (image - plain), "uint8"
    )
