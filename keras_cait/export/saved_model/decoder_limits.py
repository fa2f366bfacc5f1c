"""Files that TensorFlow's decoders would get wrong, or work on for minutes."""

import tensorflow as tf

from keras_cait.data.images.headers import is_bmp, is_webp, whole_numbers
from keras_cait.export.saved_model.jpeg_scans import has_more_scans
from keras_cait.typing import Tensor

MAX_SCANS = 100  # of a progressive JPEG; encoders make about ten
_MASKS = (0xFF0000, 0xFF00, 0xFF)  # red, green and blue, as the decoder takes them


def is_decodable(file: Tensor) -> Tensor:
    """Whether the decoder takes a JPEG, BMP or WebP for what it is, and in time.

    A JPEG may hold thousands of scans, a few bytes each, that all go over the whole
    image. Of a BMP the decoder reads neither palettes nor compressed rows nor other
    orders of colors, and gives another image in place of an error. WebP is none of
    the kinds that are served.

    Args:
        file: A scalar string; of another kind it passes.

    Raises:
        tf.errors.InvalidArgumentError: If it ends within its header.

    """
    return tf.case(
        [
            (tf.io.is_jpeg(file), lambda: ~has_more_scans(file, MAX_SCANS)),
            (is_bmp(file), lambda: _has_plain_colors(file)),
            (is_webp(file), lambda: tf.constant(False)),
        ],
        default=lambda: tf.constant(True),
    )


def _has_plain_colors(file: Tensor) -> Tensor:
    """Whether a BMP holds blue, green and red, perhaps alpha, or gray."""
    pixels_at, header = tf.unstack(whole_numbers(file, 10, 2))
    bits = whole_numbers(file, 28, 1, bits=16)[0]
    (compression,) = tf.unstack(whole_numbers(file, 30, 1))

    def is_gray_ramp() -> Tensor:
        start = 14 + header
        table = tf.strings.substr(file, start, (pixels_at - start) // 4 * 4)
        colors = tf.reshape(tf.io.decode_raw(table, "uint8"), (-1, 4))[:, :3]
        levels = tf.range(tf.shape(colors)[0])
        return tf.reduce_all(tf.cast(colors, "int32") == levels[:, None])

    return tf.case(
        [
            (compression == 0, lambda: (bits != 8) | is_gray_ramp()),
            (
                compression == 3,
                lambda: tf.reduce_all(
                    whole_numbers(file, 54, 3) == tf.constant(_MASKS)
                ),
            ),
        ],
        default=lambda: tf.constant(False),
    )
