"""What a file says of its image before a pixel of it is decoded."""

import tensorflow as tf

from keras_cait.typing import Tensor

_PNG = b"\x89PNG\r\n\x1a\n"


def header_size(file: Tensor) -> Tensor:
    """Height and width of an encoded image, read in its header.

    Args:
        file: A scalar string: JPEG, PNG, GIF that is cut by `first_frame`, or BMP.

    Returns:
        `(2,)` int64, as they stand there: perhaps 0, negative or huge.

    Raises:
        tf.errors.InvalidArgumentError: If it is no such file, or too short.

    Example:
        >>> header_size(tf.io.encode_png(tf.zeros((3, 5, 1), "uint8"))).numpy()
        array([3, 5])

    """
    size = tf.case(
        [
            (tf.io.is_jpeg(file), lambda: tf.io.extract_jpeg_shape(file)[:2]),
            (
                _starts_with(file, _PNG),
                lambda: whole_numbers(file, 16, 2, big=True)[::-1],
            ),
            (is_gif(file), lambda: whole_numbers(file, 6, 2, bits=16)[::-1]),
            # Rows of a BMP that come top first are counted below 0.
            (is_bmp(file), lambda: tf.abs(whole_numbers(file, 18, 2))[::-1]),
        ],
        default=_unknown,
    )
    return tf.cast(size, "int64")


def is_gif(file: Tensor) -> Tensor:
    """Whether a file says that it is a GIF."""
    return _starts_with(file, b"GIF87a") | _starts_with(file, b"GIF89a")


def is_bmp(file: Tensor) -> Tensor:
    """Whether a file says that it is a BMP."""
    return _starts_with(file, b"BM")


def whole_numbers(
    file: Tensor, place: int, count: int, *, bits: int = 32, big: bool = False
) -> Tensor:
    """Numbers that stand in a file one after the other.

    Args:
        file: A scalar string.
        place: Of the first byte.
        count: How many.
        bits: Of each, 16 or 32; those of 32 have a sign.
        big: Whether the most significant byte comes first.

    Returns:
        `(count,)` int32.

    Raises:
        tf.errors.InvalidArgumentError: If the file ends before.

    Example:
        >>> whole_numbers(tf.constant(b"..a.bc"), 2, 2, bits=16, big=True).numpy()
        array([24878, 25187], dtype=int32)

    """
    kind = {16: "uint16", 32: "int32"}[bits]
    part = tf.strings.substr(file, place, count * bits // 8)
    numbers = tf.io.decode_raw(part, kind, little_endian=not big)
    return tf.cast(tf.reshape(numbers, (count,)), "int32")


def _starts_with(file: Tensor, beginning: bytes) -> Tensor:
    return tf.equal(tf.strings.substr(file, 0, len(beginning)), beginning)


def _unknown() -> Tensor:
    refused = tf.debugging.Assert(False, ["no JPEG, PNG, GIF or BMP"])
    with tf.control_dependencies([refused] if refused is not None else []):
        return tf.zeros((2,), "int32")
