"""Resizing as PIL does it: antialiased, and rounded between the two axes."""

from collections.abc import Callable

import tensorflow as tf

from keras_cait.typing import Tensor

Size = tuple[Tensor | int, Tensor | int]
"""Height and width, in pixels."""

_BLOCK = 16  # places that are computed together; timed from 8 to 224


def resize(
    image: Tensor,
    size: Size,
    interpolation: str = "bicubic",
    window: tuple[Tensor | int, ...] | None = None,
) -> Tensor:
    """An image at another size, with the pixels that PIL gives.

    Each pixel of the result is a mean of those of the image within reach of a
    kernel, which is as much wider as the image is larger than the result. The
    bicubic kernel is Keys's with a = -0.5. Columns come first, as in all versions
    of PIL before 13, with which published accuracies were measured; later ones
    take the rows first where that is cheaper. `tf.image.resize(antialias=True)`
    has the same kernels but does not round in between: it is off by a fifth of a
    gray level on average, by up to three, and slower.

    Args:
        image: `(height, width, channels)` uint8, the channels known.
        size: Height and width of the result, in pixels.
        interpolation: "bicubic" or "bilinear".
        window: Top, left, height and width of the part of the result that is
            wanted, in pixels; by default all of it. What lies outside is 0.

    Returns:
        `(*size, channels)` uint8, or that of the window.

    Raises:
        ValueError: If there is no such interpolation.

    Example:
        >>> image = tf.constant([[[0], [100]]], "uint8")
        >>> resize(image, (1, 4), "bilinear").numpy().ravel()
        array([  0,  25,  75, 100], dtype=uint8)

    Reference:
        Keys, Cubic convolution interpolation for digital image processing, IEEE
        Transactions on Acoustics, Speech, and Signal Processing 29, 1981.

    """
    check_interpolation(interpolation)
    top, left, height, width = (0, 0, *size) if window is None else window
    shape = tf.shape(image)
    rows, row_weights = _weights(top, height, shape[0], size[0], interpolation)
    columns, column_weights = _weights(left, width, shape[1], size[1], interpolation)
    # What no pixel of the result depends on is left out.
    first_row, first_column = rows[0, 0], columns[0, 0]
    image = image[first_row : rows[-1, -1] + 1, first_column : columns[-1, -1] + 1]
    available, channels = tf.shape(image)[0], image.shape[-1]
    # Columns first; the axis at work is in front, so that all else is one vector.
    pixels = tf.transpose(tf.cast(image, "float32"), (1, 2, 0))
    pixels = tf.reshape(pixels, (-1, channels * available))
    pixels = _mix(pixels, columns - first_column, column_weights, width)
    pixels = tf.reshape(pixels, (width, channels, available))
    pixels = tf.reshape(tf.transpose(pixels, (2, 0, 1)), (-1, width * channels))
    pixels = _mix(pixels, rows - first_row, row_weights, height)
    return tf.cast(tf.reshape(pixels, (height, width, channels)), "uint8")


def covering_size(height: Tensor, width: Tensor, size: tuple[int, int]) -> Size:
    """The smallest size of the same aspect that covers another, rounded as in timm.

    Args:
        height: Of the image, in pixels.
        width: Likewise.
        size: What to cover.

    Returns:
        Height and width, int32.

    Example:
        >>> [int(side) for side in covering_size(375, 500, (256, 256))]
        [256, 341]
        >>> [int(side) for side in covering_size(375, 500, (128, 256))]
        [192, 256]

    """
    if size[0] == size[1]:
        shorter = tf.minimum(height, width)
        return size[0] * height // shorter, size[0] * width // shorter
    sides = tf.cast(tf.stack([height, width]), "float64")
    ratio = tf.reduce_min(sides / size)
    covering = tf.cast(tf.round(sides / ratio), "int32")
    return covering[0], covering[1]


def check_interpolation(interpolation: str) -> None:
    """Raises `ValueError` unless images can be resized so."""
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
    """Which of `available` pixels each of `size` places is made of, and how.

    Neighbors share most of the few pixels that they depend on, so sixteen of them
    are the product of a small matrix.

    Args:
        first: Of the places wanted; those outside [0, size) have no weights.
        number: Of places, from the first on.
        available: Pixels along the axis.
        size: Pixels that they are resized to.
        interpolation: Name of the kernel.

    Returns:
        Indices, `(blocks, length)`, ascending, and weights, `(blocks, _BLOCK,
        length)` float32.

    """
    kernel, radius = _KERNELS[interpolation]
    blocks = -(-number // _BLOCK)
    places = tf.reshape(first + tf.range(blocks * _BLOCK), (-1, _BLOCK))
    # Places in double precision: they count hundreds of pixels, and what matters
    # are millionths of one.
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
    # Whole numbers of 22 bits, as in PIL: they decide how what lies halfway between
    # two levels is rounded.
    weights = tf.round(weights * (2**22 * tf.expand_dims(parts, -1))) * 2**-22
    return start + tf.range(length), weights


def _mix(pixels: Tensor, indices: Tensor, weights: Tensor, number: Tensor) -> Tensor:
    """The first `number` weighted sums of rows of `pixels`, in whole gray levels."""
    mixed = tf.matmul(weights, tf.gather(pixels, indices))
    mixed = tf.reshape(mixed, (-1, tf.shape(pixels)[1]))[:number]
    # Clipped, and halves upwards: PIL has an image between the axes too.
    return tf.quantization.fake_quant_with_min_max_args(mixed, 0, 255)


def _cubic(distance: Tensor) -> Tensor:
    x = tf.minimum(distance, 2.0)
    inner = (1.5 * x - 2.5) * x * x + 1
    outer = ((2.5 - 0.5 * x) * x - 4) * x + 2
    return tf.where(x < 1, inner, outer)


def _triangle(distance: Tensor) -> Tensor:
    return tf.maximum(1 - distance, 0.0)


_KERNELS: dict[str, tuple[Callable[[Tensor], Tensor], float]] = {  # and their reach
    "bicubic": (_cubic, 2.0),
    "bilinear": (_triangle, 1.0),
}
