"""Resizing with the pixels of PIL: antialiased, and rounded between the two axes."""

from collections.abc import Callable

import tensorflow as tf

from keras_cait.typing import Tensor

Size = tuple[Tensor | int, Tensor | int]
"""Height and width, in pixels."""

_BLOCK = 16  # pixels that are computed together; timed from 8 to 224


def resize(
    image: Tensor,
    size: Size,
    interpolation: str = "bicubic",
    window: tuple[Tensor | int, ...] | None = None,
) -> Tensor:
    """Resizes an image to the pixels of PIL, `(*size, channels)` uint8.

    Each pixel of the result is a weighted mean of the pixels within reach of a kernel.
    The kernel is widened by the ratio of the sizes if the image is larger than the
    result. The bicubic kernel is that of Keys, Cubic convolution interpolation for
    digital image processing, 1981, with a = -0.5. Columns come first, as in PIL before
    version 13, with which published accuracies were measured; later versions resize the
    rows first if that is cheaper. `tf.image.resize(antialias=True)` has the same
    kernels but does not round in between: it is off by a fifth of a gray level on
    average, by up to three, and slower.

    `image` is `(height, width, channels)` uint8 with the channels known. `window` is
    the top, left, height and width, in pixels, of the part of the result to compute;
    pixels outside of the result are 0.
    """
    check_interpolation(interpolation)
    top, left, height, width = (0, 0, *size) if window is None else window
    shape = tf.shape(image)
    rows, row_weights = _weights(top, height, shape[0], size[0], interpolation)
    columns, column_weights = _weights(left, width, shape[1], size[1], interpolation)
    # Leaves out pixels that the result does not depend on.
    first_row, first_column = rows[0, 0], columns[0, 0]
    image = image[first_row : rows[-1, -1] + 1, first_column : columns[-1, -1] + 1]
    available, channels = tf.shape(image)[0], image.shape[-1]
    # Columns first. The axis to resize is in front; the others form one vector.
    pixels = tf.transpose(tf.cast(image, "float32"), (1, 2, 0))
    pixels = tf.reshape(pixels, (-1, channels * available))
    pixels = _mix(pixels, columns - first_column, column_weights, width)
    pixels = tf.reshape(pixels, (width, channels, available))
    pixels = tf.reshape(tf.transpose(pixels, (2, 0, 1)), (-1, width * channels))
    pixels = _mix(pixels, rows - first_row, row_weights, height)
    return tf.cast(tf.reshape(pixels, (height, width, channels)), "uint8")


def covering_size(height: Tensor, width: Tensor, size: tuple[int, int]) -> Size:
    """The smallest size of an image, with its aspect, that covers another size.

    Rounded as in timm, int32.
    """
    if size[0] == size[1]:
        shorter = tf.minimum(height, width)
        return size[0] * height // shorter, size[0] * width // shorter
    sides = tf.cast(tf.stack([height, width]), "float64")
    ratio = tf.reduce_min(sides / size)
    covering = tf.cast(tf.round(sides / ratio), "int32")
    return covering[0], covering[1]


def check_interpolation(interpolation: str) -> None:
    """Raises `ValueError` if there is no such interpolation."""
    if interpolation not in _KERNELS:
        raise ValueError(
            f"`interpolation` must be one of {sorted(_KERNELS)}. "
            f"Received: interpolation={interpolation!r}"
        )


def _weights(
    first: Tensor | int,
    number: Tensor | int,
    available: Tensor,
    size: Tensor | int,
    interpolation: str,
) -> tuple[Tensor, Tensor]:
    """Weights of an axis of `available` pixels for `number` of `size` pixels.

    Neighbors in the result share most of the few pixels that they depend on, so a
    small matrix computes a block of them: indices `(blocks, length)`, ascending, and
    weights `(blocks, _BLOCK, length)` float32, which are 0 outside of [0, size).
    """
    kernel, radius = _KERNELS[interpolation]
    blocks = -(-number // _BLOCK)
    places = tf.reshape(first + tf.range(blocks * _BLOCK), (-1, _BLOCK))
    # In double precision: places are hundreds of pixels, exact to a millionth.
    scale = tf.cast(available, "float64") / tf.cast(size, "float64")
    stretch = tf.maximum(scale, 1.0)
    reach = radius * stretch
    centers = (tf.cast(places, "float64") + 0.5) * scale
    length = tf.cast(_BLOCK * scale + 2 * reach, "int32") + 2
    length = tf.minimum(length, available)
    start = tf.cast(centers[:, :1] - reach, "int32")
    start = tf.clip_by_value(start, 0, available - length)
    nearest = (tf.cast(start, "float64") + 0.5 - centers) / stretch
    steps = tf.cast(tf.range(length), "float64") / stretch
    distances = tf.cast(tf.expand_dims(nearest, -1) + steps, "float32")
    weights = kernel(tf.abs(distances))
    inside = tf.cast((places >= 0) & (places < size), "float32")
    parts = tf.math.divide_no_nan(inside, tf.reduce_sum(weights, axis=-1))
    # Integers of 22 bits, as in PIL: they decide the rounding of values halfway
    # between two gray levels.
    weights = tf.round(weights * (2**22 * tf.expand_dims(parts, -1))) * 2**-22
    return start + tf.range(length), weights


def _mix(pixels: Tensor, indices: Tensor, weights: Tensor, number: Tensor) -> Tensor:
    """The first `number` weighted sums of rows of `pixels`, in integer gray levels."""
    mixed = tf.matmul(weights, tf.gather(pixels, indices))
    mixed = tf.reshape(mixed, (-1, tf.shape(pixels)[1]))[:number]
    # Clips, and rounds halves upwards, as PIL does after each axis.
    return tf.quantization.fake_quant_with_min_max_args(mixed, 0, 255)


def _cubic(distance: Tensor) -> Tensor:
    x = tf.minimum(distance, 2.0)
    inner = (1.5 * x - 2.5) * x * x + 1
    outer = ((2.5 - 0.5 * x) * x - 4) * x + 2
    return tf.where(x < 1, inner, outer)


def _triangle(distance: Tensor) -> Tensor:
    return tf.maximum(1 - distance, 0.0)


_KERNELS: dict[str, tuple[Callable[[Tensor], Tensor], float]] = {  # with their radius
    "bicubic": (_cubic, 2.0),
    "bilinear": (_triangle, 1.0),
}
