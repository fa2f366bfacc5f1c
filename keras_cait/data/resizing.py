"""Resizing as PIL does it: antialiased, and rounded between the two axes."""

from collections.abc import Callable

import tensorflow as tf

from keras_cait.typing import Tensor

Size = tuple[Tensor | int, Tensor | int]
"""Height and width, in pixels."""

_BLOCK = 16  # rows of a result that are computed together; timed from 8 to 224


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
    grey level on average, by up to three, and slower.

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
    channels = image.shape[-1]
    rows = tf.shape(image)[0]
    # Columns first; the axis at work is in front, so that a row is a vector.
    pixels = tf.transpose(tf.cast(image, "float32"), (1, 0, 2))
    pixels = tf.reshape(pixels, (-1, rows * channels))
    pixels = _resample(pixels, size[1], left, width, interpolation)
    pixels = tf.transpose(tf.reshape(pixels, (width, rows, channels)), (1, 0, 2))
    pixels = tf.reshape(pixels, (-1, width * channels))
    pixels = _resample(pixels, size[0], top, height, interpolation)
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


def _resample(
    rows: Tensor,
    size: Tensor | int,
    first: Tensor | int,
    number: Tensor | int,
    interpolation: str,
) -> Tensor:
    """Rows `first` to `first + number` of `rows` resized to `size` of them."""
    blocks = -(-number // _BLOCK)
    places = tf.reshape(first + tf.range(blocks * _BLOCK), (-1, _BLOCK))
    indices, weights = _weights(places, tf.shape(rows)[0], size, interpolation)
    resampled = tf.matmul(weights, tf.gather(rows, indices))
    resampled = tf.reshape(resampled, (blocks * _BLOCK, -1))[:number]
    # To whole grey levels, halves upwards: PIL has images between the axes too.
    return tf.quantization.fake_quant_with_min_max_args(resampled, 0, 255)


def _weights(
    places: Tensor, available: Tensor, size: Tensor | int, interpolation: str
) -> tuple[Tensor, Tensor]:
    """Which of `available` pixels each block of `size` places is made of, and how.

    Neighbours share most of the few pixels that they depend on, so a block of them
    is the product of a small matrix. Double precision until the end: places count
    hundreds of pixels, and what matters are millionths of one.

    Args:
        places: `(blocks, _BLOCK)`; those outside [0, size) have no weights.
        available: Pixels along the axis.
        size: Pixels that they are resized to.
        interpolation: Name of the kernel.

    Returns:
        Indices, `(blocks, length)`, and weights, `(blocks, _BLOCK, length)` float32.

    """
    kernel, radius = _KERNELS[interpolation]
    scale = tf.cast(available, "float64") / tf.cast(size, "float64")
    stretch = tf.maximum(scale, 1.0)
    reach = radius * stretch
    centres = (tf.cast(places, "float64") + 0.5) * scale
    length = tf.cast(_BLOCK * scale + 2 * reach, "int32") + 2
    length = tf.minimum(length, available)
    start = tf.cast(centres[:, :1] - reach, "int32")
    start = tf.clip_by_value(start, 0, available - length)
    indices = start + tf.range(length)
    distances = tf.cast(indices, "float64")[:, None] + 0.5
    distances = tf.abs(distances - tf.expand_dims(centres, -1)) / stretch
    inside = tf.cast((places >= 0) & (places < size), "float64")
    weights = kernel(distances) * tf.expand_dims(inside, -1)
    total = tf.reduce_sum(weights, axis=-1, keepdims=True)
    weights = tf.math.divide_no_nan(weights, total)
    # PIL's weights are whole numbers of 22 bits. What lies halfway between two
    # levels is rounded by them.
    return indices, tf.cast(tf.round(weights * 2**22) / 2**22, "float32")


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
