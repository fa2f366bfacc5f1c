"""Layers that adapt a student's images to a teacher; they are saved with it."""

import inspect
from collections.abc import Callable

import keras
import numpy as np
from keras import ops

from keras_cait.layers.precision import full_precision
from keras_cait.typing import Shape, Tensor

_SMALLEST = 32  # pixels: convnets halve the side five times


def input_size(
    image_shape: Shape, *, smallest: int = _SMALLEST, multiple: int = 1
) -> tuple[int, int]:
    """Height and width of an architecture's inputs, for images of a shape.

    The sides of the images, enlarged in proportion until both are at least
    `smallest`, and rounded up to multiples of `multiple`.

    Example:
        >>> input_size((40, 24, 3)), input_size((224, 224, 3)), input_size((8, 16, 1))
        ((53, 32), (224, 224), (32, 64))
        >>> input_size((40, 40, 3), multiple=16)
        (48, 48)
    """
    height, width = (side or smallest for side in image_shape[:2])
    enlarged = max(1.0, smallest / min(height, width))
    sides = round(height * enlarged), round(width * enlarged)
    height, width = (-(-side // multiple) * multiple for side in sides)
    return height, width


def as_color_images(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Resizes images to `(height, width)` and makes gray ones RGB."""
    channels = images.shape[-1]
    if channels not in (1, 3):
        raise ValueError(
            "A teacher of color images takes 1 or 3 channels. "
            f"Received: images of {channels}"
        )
    if tuple(images.shape[1:3]) != tuple(size):
        resize = keras.layers.Resizing(*size, dtype=full_precision())
        # `training` is True by default; it would reach the layers behind this one.
        images = resize(images, training=False)
    if channels == 1:
        images = keras.layers.Concatenate(dtype=full_precision())([images] * 3)
    return images


def apply_preprocess_input(
    builder: Callable[..., keras.Model], images: Tensor
) -> Tensor:
    """Applies `preprocess_input` of an architecture of keras.applications, as layers.

    `images` are `(batch, height, width, 3)` in [0, 255]. All of these functions scale
    and shift each channel, and some swap red and blue; calls of the function show both.
    """
    preprocess = getattr(inspect.getmodule(builder), "preprocess_input", None)
    if preprocess is None:
        return images

    def probe(pixel: tuple[float, float, float]) -> np.ndarray:
        image = np.array(pixel, "float32").reshape((1, 1, 1, 3))
        return np.asarray(preprocess(image, data_format="channels_last")).reshape(3)

    offset = probe((0, 0, 0))
    scale = (probe((255, 255, 255)) - offset) / 255
    if np.argmax(np.abs(probe((255, 0, 0)) - offset)) == 2:
        images = ops.flip(images, axis=-1)
    return keras.layers.Rescaling(
        scale.tolist(), offset.tolist(), dtype=full_precision()
    )(images)
