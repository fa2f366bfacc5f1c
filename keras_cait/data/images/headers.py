"""File types and headers of encoded images, read before a pixel is decoded."""

from typing import NamedTuple

import tensorflow as tf

from keras_cait.data.images.assertions import with_assertion
from keras_cait.typing import Tensor


def header_size(file: Tensor) -> Tensor:
    """Height and width in the header of an encoded image, a scalar string.

    Returns `(2,)` int64, not checked: may be 0 or huge. A file of another type, or too
    short, raises `tf.errors.InvalidArgumentError`.
    """
    return tf.case(
        [
            (
                tf.io.is_jpeg(file),
                lambda: tf.cast(tf.io.extract_jpeg_shape(file)[:2], "int64"),
            ),
            (is_png(file), lambda: _integers(file, (20, 16), 4, big_endian=True)),
            (is_gif(file), lambda: _integers(file, (8, 6), 2)),
            (is_bmp(file), lambda: _bmp_size(file)),
            (is_webp(file), lambda: webp_header(file).size),
        ],
        default=lambda: with_assertion(
            tf.zeros((2,), "int64"),
            tf.constant(False),
            "no JPEG, PNG, GIF, BMP or WebP",
        ),
    )


def is_png(file: Tensor) -> Tensor:
    """Whether a file starts with the signature of PNG."""
    return _starts_with(file, b"\x89PNG\r\n\x1a\n")


def is_gif(file: Tensor) -> Tensor:
    """Whether a file starts with the signature of GIF."""
    return _starts_with(file, b"GIF87a") | _starts_with(file, b"GIF89a")


def is_bmp(file: Tensor) -> Tensor:
    """Whether a file starts with the signature of BMP."""
    return _starts_with(file, b"BM")


def is_webp(file: Tensor) -> Tensor:
    """Whether a file starts with the signature of WebP."""
    # Padded, since a part beyond the end of a string is an error.
    start = tf.strings.join([tf.strings.substr(file, 0, 12), 12 * b" "])
    form = tf.strings.substr(start, 8, 4)
    return _starts_with(file, b"RIFF") & tf.equal(form, b"WEBP")


class WebPHeader(NamedTuple):
    """Height and width, `(2,)` int64, and two boolean scalars."""

    size: Tensor
    has_alpha: Tensor
    is_animated: Tensor


def webp_header(file: Tensor) -> WebPHeader:
    """Reads the header of a WebP, whose layout depends on the first chunk.

    RFC 6386, section 9.1, and
    https://developers.google.com/speed/webp/docs/riff_container
    """
    chunk = _part(file, 12, 4)

    def extended() -> tuple[Tensor, Tensor, Tensor]:
        (flags,) = tf.unstack(_integers(file, (20,), 1))
        size = 1 + _integers(file, (27, 24), 3)
        return size, (flags & 0x10) > 0, (flags & 0x02) > 0

    def lossless() -> tuple[Tensor, Tensor, Tensor]:
        # Width and height less one in 14 bits each, then a bit for alpha.
        (bits,) = tf.unstack(_integers(file, (21,), 4))
        size = 1 + (tf.stack([bits // 2**14, bits]) & 0x3FFF)
        return size, (bits & 2**28) > 0, tf.constant(False)

    def lossy() -> tuple[Tensor, Tensor, Tensor]:
        # The two highest bits are a scale for display.
        size = _integers(file, (28, 26), 2) & 0x3FFF
        return size, tf.constant(False), tf.constant(False)

    branches = [
        (tf.equal(chunk, b"VP8X"), extended),
        (tf.equal(chunk, b"VP8L"), lossless),
    ]
    return WebPHeader(*tf.case(branches, default=lossy))


def _bmp_size(file: Tensor) -> Tensor:
    """Absolute values of signed integers: a height below 0 means top row first."""
    size = _integers(file, (22, 18), 4)
    return tf.minimum(size, 2**32 - size)


def _integers(
    file: Tensor, offsets: tuple[int, ...], length: int, *, big_endian: bool = False
) -> Tensor:
    """Unsigned integers of `length` bytes at each offset, `(offsets,)` int64."""
    parts = tf.stack([_part(file, offset, length) for offset in offsets])
    digits = tf.cast(tf.io.decode_raw(parts, "uint8"), "int64")
    values = [256**place for place in range(length)]
    values = values[::-1] if big_endian else values
    return tf.reduce_sum(tf.ensure_shape(digits, (len(offsets), length)) * values, -1)


def _part(file: Tensor, offset: int, length: int) -> Tensor:
    """Bytes of the header; an error if the file ends before them."""
    is_long = tf.strings.length(file) >= offset + length
    file = with_assertion(file, is_long, "the file ends within its header")
    return tf.strings.substr(file, offset, length)


def _starts_with(file: Tensor, signature: bytes) -> Tensor:
    return tf.equal(tf.strings.substr(file, 0, len(signature)), signature)
