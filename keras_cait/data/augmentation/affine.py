"""Rotation, shear and translation with Pillow's bicubic resampling.

All functions take an image, `(height, width, 3)` uint8, and return the same shape and
type. `fill` is the color of the area that comes in from outside, three gray levels.

They equal Pillow's `Image.transform`: pixel centers at halves, the cubic kernel with
a = -1 (its `resize` has -0.5), the last pixel repeated past the edge, and the result
truncated to an integer. A pixel whose center maps outside the image takes the fill.
`ImageProjectiveTransformV3` has no bicubic kernel, and bilinear interpolation differs
by 1 to 2 gray levels.
"""

import math

import tensorflow as tf

from keras_cait.data.augmentation.compilation import compiled
from keras_cait.typing import Tensor


@compiled
def rotate(image: Tensor, angle: Tensor, fill: Tensor) -> Tensor:
    """Turns an image counterclockwise around its center, by an angle in degrees."""
    height, width = tf.unstack(tf.shape(image)[:2])
    radians = angle * (math.pi / 180)
    cosine, sine = tf.cos(radians), tf.sin(radians)
    middle_x, middle_y = _double(width) / 2, _double(height) / 2
    across = _centers(width) - middle_x
    down = (_centers(height) - middle_y)[:, None]
    x = cosine * across - sine * down + middle_x
    y = sine * across + cosine * down + middle_y
    inside = _within(x, width) & _within(y, height)
    column, right = _split(x)
    row, below = _split(y)
    pixels = tf.reshape(image, (-1, 3))

    def along(places: Tensor) -> Tensor:
        """Interpolates between the columns of one row of pixels for each place."""
        start = tf.clip_by_value(places, 0, height - 1) * width
        taps = [tf.clip_by_value(column + i, 0, width - 1) for i in range(-1, 3)]
        return _cubic([tf.gather(pixels, start + tap) for tap in taps], right)

    value = _cubic([along(row + j) for j in range(-1, 3)], below)
    return _filled(value, inside, fill)


@compiled
def shear_x(image: Tensor, factor: Tensor, fill: Tensor) -> Tensor:
    """Slants an image: a row `n` pixels down comes from `n * factor` to the right."""
    return _shift_rows(image, factor * _centers(tf.shape(image)[0]), fill)


@compiled
def shear_y(image: Tensor, factor: Tensor, fill: Tensor) -> Tensor:
    """As `shear_x`, with rows and columns exchanged."""
    return _transposed(shear_x(_transposed(image), factor, fill))


@compiled
def translate_x(image: Tensor, part: Tensor, fill: Tensor) -> Tensor:
    """Shifts an image to the left by a part of its width; below 0 to the right."""
    height, width = tf.unstack(tf.shape(image)[:2])
    return _shift_rows(image, tf.fill((height,), part * _double(width)), fill)


@compiled
def translate_y(image: Tensor, part: Tensor, fill: Tensor) -> Tensor:
    """As `translate_x`, with rows and columns exchanged: shifts upwards."""
    return _transposed(translate_x(_transposed(image), part, fill))


def _shift_rows(image: Tensor, distances: Tensor, fill: Tensor) -> Tensor:
    """Shifts each row to the left by its own distance in pixels."""
    width = tf.shape(image)[1]
    x = _centers(width) + distances[:, None]
    # One fraction a row, not one a pixel.
    first, right = _split(distances + 0.5)
    column = first[:, None] + tf.range(width)
    taps = [tf.clip_by_value(column + i, 0, width - 1) for i in range(-1, 3)]
    pixels = [tf.gather(image, tap, batch_dims=1) for tap in taps]
    return _filled(_cubic(pixels, right[:, None]), _within(x, width), fill)


def _cubic(values: list[Tensor], fraction: Tensor) -> Tensor:
    """Interpolates between the second and the third of four neighbors.

    In this form equal neighbors give exactly their value, which is then truncated.
    """
    a, b, c, d = (tf.cast(value, "float32") for value in values)
    t = fraction[..., None]
    return b + t * (c - a + t * (2 * (a - b) + c - d + t * (b - a - c + d)))


def _filled(value: Tensor, inside: Tensor, fill: Tensor) -> Tensor:
    truncated = tf.saturate_cast(value, "uint8")
    return tf.where(inside[..., None], truncated, tf.cast(fill, "uint8"))


def _split(places: Tensor) -> tuple[Tensor, Tensor]:
    """Index of the pixel center before each place, and the distance from there."""
    before = tf.floor(places - 0.5)
    return tf.cast(before, "int32"), tf.cast(places - 0.5 - before, "float32")


def _within(places: Tensor, size: Tensor) -> Tensor:
    return (places >= 0) & (places < _double(size))


def _centers(size: Tensor) -> Tensor:
    return tf.range(_double(size)) + 0.5


def _double(number: Tensor) -> Tensor:
    return tf.cast(number, "float64")


def _transposed(image: Tensor) -> Tensor:
    return tf.transpose(image, (1, 0, 2))
