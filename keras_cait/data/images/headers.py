"""What a file says of its image before a pixel of it is decoded."""

from typing import NamedTuple

import tensorflow as tf

from keras_cait.data.images.assertions import with_assertion
from keras_cait.typing import Tensor


def header_size(file: Tensor) -> Tensor:
    """Height and width of an encoded image, read in its header.

    Args:
        file: A scalar string: JPEG, PNG, GIF, BMP or WebP.

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
                is_png(file),
                lambda: whole_numbers(file, 16, 2, big=True)[::-1],
            ),
            (is_gif(file), lambda: whole_numbers(file, 6, 2, bits=16)[::-1]),
            # Rows of a BMP that come top first are counted below 0.
            (is_bmp(file), lambda: tf.abs(whole_numbers(file, 18, 2))[::-1]),
            (is_webp(file), lambda: webp_canvas(file).size),
        ],
        default=_unknown,
    )
    return tf.cast(size, "int64")


def is_png(file: Tensor) -> Tensor:
    """Whether a file starts with the signature of PNG."""
    return _starts_with(file, b"\x89PNG\r\n\x1a\n")


def is_gif(file: Tensor) -> Tensor:
    """Whether a file says that it is a GIF."""
    return _starts_with(file, b"GIF87a") | _starts_with(file, b"GIF89a")


def is_bmp(file: Tensor) -> Tensor:
    """Whether a file says that it is a BMP."""
    return _starts_with(file, b"BM")


def is_webp(file: Tensor) -> Tensor:
    """Whether a file says that it is a WebP."""
    # Of a shorter file there would be no such part.
    start = tf.strings.join([tf.strings.substr(file, 0, 12), 12 * b" "])
    form = tf.strings.substr(start, 8, 4)
    return _starts_with(file, b"RIFF") & tf.equal(form, b"WEBP")


class WebPCanvas(NamedTuple):
    """What a WebP says of itself: height and width, alpha, and animation."""

    size: Tensor
    has_alpha: Tensor
    is_animated: Tensor


def webp_canvas(file: Tensor) -> WebPCanvas:
    """The header of a WebP, in the form of its first chunk.

    Reference:
        https://developers.google.com/speed/webp/docs/riff_container and RFC 6386,
        section 9.1

    """
    end = tf.strings.length(file) >= 30
    file = with_assertion(file, end, "the file ends within its header")
    chunk = tf.strings.substr(file, 12, 4)
    sizes, flags = tf.case(
        [
            (tf.equal(chunk, b"VP8X"), lambda: _extended_webp(file)),
            (tf.equal(chunk, b"VP8L"), lambda: _lossless_webp(file)),
        ],
        default=lambda: (
            # Two bits of each are a scale for display.
            whole_numbers(file, 26, 2, bits=16) & 0x3FFF,
            tf.constant([False, False]),
        ),
    )
    return WebPCanvas(sizes[::-1], flags[0], flags[1])


def _extended_webp(file: Tensor) -> tuple[Tensor, Tensor]:
    """Width and height, less one, in three bytes each, after a byte of flags."""
    low = whole_numbers(tf.strings.join([file, b"\0"]), 24, 3, bits=16)
    width = low[0] + (low[1] & 0xFF) * 2**16
    height = low[1] // 2**8 + low[2] * 2**8
    flags = whole_numbers(file, 20, 1, bits=16)[0]
    return 1 + tf.stack([width, height]), tf.stack([flags & 0x10, flags & 0x02]) > 0


def _lossless_webp(file: Tensor) -> tuple[Tensor, Tensor]:
    """Width and height, less one, in 14 bits each, and a bit for alpha."""
    low, high = tf.unstack(whole_numbers(file, 21, 2, bits=16))
    width = low & 0x3FFF
    height = low // 2**14 + (high & 0x0FFF) * 2**2
    flags = tf.stack([(high & 0x1000) > 0, tf.constant(False)])
    return 1 + tf.stack([width, height]), flags


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
    end = place + count * bits // 8
    is_long = tf.strings.length(file) >= end
    file = with_assertion(file, is_long, "the file ends within its header")
    part = tf.strings.substr(file, place, end - place)
    numbers = tf.io.decode_raw(part, kind, little_endian=not big)
    return tf.cast(tf.reshape(numbers, (count,)), "int32")


def _starts_with(file: Tensor, beginning: bytes) -> Tensor:
    return tf.equal(tf.strings.substr(file, 0, len(beginning)), beginning)


def _unknown() -> Tensor:
    known = tf.constant(False)
    return with_assertion(
        tf.zeros((2,), "int32"), known, "no JPEG, PNG, GIF, BMP or WebP"
    )
