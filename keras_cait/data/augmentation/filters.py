"""Sharpness and Gaussian blur, as in Pillow.

Both functions take an image, `(height, width, 3)` uint8, and return the same shape and
type.
"""

import tensorflow as tf

from keras_cait.data.augmentation.color import blend
from keras_cait.data.augmentation.compilation import compiled
from keras_cait.typing import Tensor


@compiled
def sharpness(image: Tensor, factor: Tensor) -> Tensor:
    """Blends with a smooth image: factor 0 gives it, 1 the image, more a sharper one.

    A smooth pixel is the mean of nine pixels with the middle one counted five times;
    pixels at the edge are not smoothed.
    """
    pixels = tf.cast(image, "int32")
    rows = pixels[:-2] + pixels[1:-1] + pixels[2:]
    nine = rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]
    # Thirteenths rounded to the nearest integer: no half can occur.
    smooth = (nine + 4 * pixels[1:-1, 1:-1] + 6) // 13
    smooth = tf.concat([pixels[1:-1, :1], smooth, pixels[1:-1, -1:]], axis=1)
    smooth = tf.concat([pixels[:1], smooth, pixels[-1:]], axis=0)
    return blend(smooth, image, factor)


def gaussian_blur(image: Tensor, radius: Tensor) -> Tensor:
    """Blurs with three box filters, one after the other, along each axis.

    The radius is the standard deviation in pixels, in [0, 2.4]. Extended box filters
    of Gwosdek et al., section 2, https://doi.org/10.1007/978-3-642-24785-9_38.
    """
    half_width = _half_width(radius)
    for _ in range(2):
        image = _transposed(image)
        # Each is compiled alone: one loop would compute the first ones repeatedly.
        for _ in range(3):
            image = _averaged(image, half_width)
    return image


def _half_width(radius: Tensor) -> Tensor:
    """Half width of a box, with a fraction, so that three have variance `radius**2`."""
    variance = tf.cast(radius, "float32") ** 2 / 3
    whole = tf.floor((tf.sqrt(12 * variance + 1) - 1) / 2)
    part = (2 * whole + 1) * (3 * variance - whole * (whole + 1))
    return whole + part / (6 * ((whole + 1) ** 2 - variance))


@compiled
def _averaged(image: Tensor, half_width: Tensor) -> Tensor:
    """Averages along the columns, rounded; the outer rows are repeated outside."""
    half_width = tf.cast(half_width, "float32")
    rows = tf.range(tf.shape(image)[0])
    total = tf.cast(image, "float32")
    for distance in (1, 2):
        weight = tf.clip_by_value(half_width + 1 - distance, 0.0, 1.0)
        before = tf.gather(image, tf.maximum(rows - distance, 0))
        after = tf.gather(image, tf.minimum(rows + distance, rows[-1]))
        total += weight * (tf.cast(before, "float32") + tf.cast(after, "float32"))
    return tf.saturate_cast(total / (2 * half_width + 1) + 0.5, "uint8")


@compiled
def _transposed(image: Tensor) -> Tensor:
    return tf.transpose(image, (1, 0, 2))
