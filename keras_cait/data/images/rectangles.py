"""Rectangles of random area and aspect inside of an image."""

import math
from typing import NamedTuple

import tensorflow as tf

from keras_cait.typing import Tensor

_TRIES = 10  # as in torchvision and timm


class Rectangle(NamedTuple):
    """Part of an image, in pixels; each field a scalar, int32."""

    top: Tensor
    left: Tensor
    height: Tensor
    width: Tensor


def random_rectangle(
    height: Tensor,
    width: Tensor,
    seed: Tensor,
    *,
    area: tuple[float, float],
    aspect: tuple[float, float],
    whole: bool,
) -> tuple[Tensor, Rectangle]:
    """A rectangle of uniform area and log-uniform aspect, anywhere in an image.

    `height` and `width` are in pixels; `area` is a range of parts of the image's area,
    `aspect` one of ratios of width to height. With `whole` a side may be as long as the
    image's; otherwise it is shorter. Ten are drawn and the first that fits is taken;
    clipping those that do not fit would favor the border of the image.

    Returns whether one of ten fits, a boolean scalar, and the rectangle, which is
    meaningless if none does.
    """
    draws = tf.random.stateless_uniform((4, _TRIES), seed)
    sizes = tf.cast(tf.stack([height, width]), "float32")[:, None]
    pixels = (area[0] + draws[0] * (area[1] - area[0])) * tf.reduce_prod(sizes)
    lowest, highest = (math.log(ratio) for ratio in aspect)
    root = tf.exp((lowest + draws[1] * (highest - lowest)) / 2)
    sides = tf.round(tf.sqrt(pixels) * tf.stack([1 / root, root]))
    longest = sizes if whole else sizes - 1
    fits = tf.reduce_all((sides > 0) & (sides <= longest), axis=0)
    first = tf.argmax(fits)
    corners = tf.floor(draws[2:] * (sizes - sides + 1))
    rectangle = tf.cast(tf.concat([corners, sides], axis=0)[:, first], "int32")
    return fits[first], Rectangle(*tf.unstack(rectangle))
