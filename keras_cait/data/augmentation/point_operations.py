"""Operations that map each gray level of an image to another one, as in Pillow.

All functions take an image, `(height, width, 3)` uint8, and return the same shape and
type.
"""

import tensorflow as tf

from keras_cait.data.augmentation.compilation import compiled
from keras_cait.typing import Tensor


def auto_contrast(image: Tensor) -> Tensor:
    """Stretches each channel to [0, 255], except one of a single gray level."""
    lowest = tf.cast(tf.reduce_min(image, axis=(0, 1)), "float64")
    highest = tf.cast(tf.reduce_max(image, axis=(0, 1)), "float64")
    levels = tf.range(256.0, dtype="float64")[:, None]
    # In float64 and in this order, since the result is truncated to an integer.
    scale = 255 / tf.maximum(highest - lowest, 1)
    stretched = tf.clip_by_value(levels * scale - lowest * scale, 0, 255)
    return _looked_up(image, tf.where(highest > lowest, stretched, levels))


def equalize(image: Tensor) -> Tensor:
    """Spreads each channel: all ranges of gray levels get equally many pixels."""
    # Not compiled: XLA counts pixels one by one.
    counts = tf.stack(
        [
            tf.math.bincount(tf.cast(channel, "int32"), minlength=256, maxlength=256)
            for channel in tf.unstack(image, axis=-1)
        ],
        axis=1,
    )
    levels = tf.range(256)[:, None]
    brightest = tf.reduce_max(tf.where(counts > 0, levels, 0), axis=0)
    # Pixels for each level of the result, without those of the brightest level.
    step = tf.reduce_sum(tf.where(levels < brightest, counts, 0), axis=0) // 255
    below = tf.cumsum(counts, exclusive=True)
    spread = (step // 2 + below) // tf.maximum(step, 1)
    return _looked_up(image, tf.where(step > 0, tf.minimum(spread, 255), levels))


@compiled
def invert(image: Tensor) -> Tensor:
    """Negative of the image."""
    return 255 - image


@compiled
def posterize(image: Tensor, bits: Tensor) -> Tensor:
    """Keeps the highest bits of a gray level, 0 (black) to 8 (the image)."""
    mask = 256 - tf.bitwise.left_shift(1, 8 - tf.cast(bits, "int32"))
    return tf.bitwise.bitwise_and(image, tf.cast(mask, "uint8"))


@compiled
def solarize(image: Tensor, threshold: Tensor) -> Tensor:
    """Inverts gray levels of `threshold`, 0 to 256, and above."""
    kept = tf.cast(image, "int32") < tf.cast(threshold, "int32")
    return tf.where(kept, image, 255 - image)


@compiled
def solarize_add(image: Tensor, addition: Tensor) -> Tensor:
    """Adds to gray levels below 128, up to 255."""
    level = tf.cast(image, "int32")
    brighter = tf.minimum(level + tf.cast(addition, "int32"), 255)
    return tf.cast(tf.where(level < 128, brighter, level), "uint8")


def checked_image(image: Tensor) -> Tensor:
    """The image as a tensor; raises `ValueError` if it has another shape or type."""
    image = tf.convert_to_tensor(image)
    if image.dtype != tf.uint8 or not image.shape.is_compatible_with((None, None, 3)):
        raise ValueError(
            "An image must be (height, width, 3) uint8, as it is decoded. "
            f"Received: shape={tuple(image.shape)}, dtype={image.dtype.name}"
        )
    return image


@compiled
def _looked_up(image: Tensor, table: Tensor) -> Tensor:
    """Maps each channel by its own column of a `(256, 3)` table."""
    index = tf.cast(image, "int32") * 3 + tf.range(3)
    return tf.gather(tf.reshape(tf.cast(table, "uint8"), (-1,)), index)
