"""Random shift, rotation, zoom and flip of a training image."""

import math
from dataclasses import dataclass

import tensorflow as tf

from keras_cait.typing import Tensor


@dataclass(frozen=True, kw_only=True)
class RandomAffine:
    """One random affine map of an image, with bilinear interpolation.

    Keras's layers for these draw from their own state; here every draw follows from
    the seed of the image.
    """

    shift: float = 0.0  # largest, along each axis, as a part of the side, in [0, 1)
    rotation: float = 0.0  # largest angle to either side, in degrees
    zoom: float = 0.0  # largest change of height, and of width, as a part, in [0, 1)
    flip: bool = False  # mirrors half of the images, left to right

    def __call__(self, image: Tensor, seed: Tensor) -> Tensor:
        """Transforms one image to float32; areas from outside of it are black, 0."""
        image = tf.cast(image, "float32")
        height, width, _ = tf.unstack(tf.cast(tf.shape(image), "float32"))
        draws = tf.random.stateless_uniform((6,), seed, -1.0, 1.0)
        shift_x, shift_y, turn, wide, high, mirror = tf.unstack(draws)
        angle = turn * math.radians(self.rotation)
        wide, high = 1 + wide * self.zoom, 1 + high * self.zoom
        if self.flip:
            wide *= tf.sign(mirror)
        # From a pixel of the result to one of the image, around the center.
        a0, a1 = tf.cos(angle) / wide, -tf.sin(angle) / wide
        b0, b1 = tf.sin(angle) / high, tf.cos(angle) / high
        center_x, center_y = (width - 1) / 2, (height - 1) / 2
        a2 = center_x - a0 * center_x - a1 * center_y + shift_x * self.shift * width
        b2 = center_y - b0 * center_x - b1 * center_y + shift_y * self.shift * height
        images = tf.raw_ops.ImageProjectiveTransformV3(
            images=image[None],
            transforms=[[a0, a1, a2, b0, b1, b2, 0.0, 0.0]],
            output_shape=tf.shape(image)[:2],
            fill_value=0.0,
            interpolation="BILINEAR",
        )
        return tf.ensure_shape(images[0], image.shape)
