"""Decoding of records: whole images, windows of images, or only their size."""

import tensorflow as tf

from keras_cait.data.images.assertions import with_assertion
from keras_cait.data.images.headers import (
    header_size,
    is_bmp,
    is_gif,
    is_webp,
    webp_header,
)
from keras_cait.data.images.luma import luma
from keras_cait.data.images.size_limits import MAX_PIXELS, MAX_SIDE, is_allowed
from keras_cait.typing import Tensor


def decode(record: Tensor, channels: int | None = 3) -> Tensor:
    """Decodes a record to the pixels of PIL, `(height, width, channels)` uint8.

    By default TensorFlow decodes JPEG by a faster cosine transform, which is off by a
    gray level on average, and by up to eight.

    A record is a stored image: encoded as JPEG, PNG, GIF, BMP or WebP, a scalar string,
    or decoded, uint8 of rank 3 with known channels. With 3 `channels` gray becomes
    color, with 1 color becomes gray; alpha is dropped. None keeps the channels of a
    decoded image, and makes an encoded one 3.

    A GIF gives its first frame. As in PIL, the orientation in a file's metadata is not
    applied. The palette of a BMP is not applied either: its 8 bits are taken as gray.
    A record that cannot be decoded raises `tf.errors.InvalidArgumentError`, and so does
    one whose size exceeds the limits of `size_limits`, before anything is decoded.
    """
    record = _checked(record, channels)
    if not _is_encoded(record):
        return _with_channels(record, channels)
    record = _of_allowed_size(record)
    image = tf.cond(
        tf.io.is_jpeg(record),
        lambda: tf.io.decode_jpeg(record, channels=3, dct_method="INTEGER_ACCURATE"),
        lambda: _decode_other(record),
    )
    return _with_channels(tf.ensure_shape(image, (None, None, 3)), channels)


def decode_window(
    record: Tensor,
    top: Tensor,
    left: Tensor,
    height: Tensor,
    width: Tensor,
    channels: int | None = 3,
) -> Tensor:
    """A window of `decode(record, channels)`; only this part of a JPEG is decoded.

    The window is given in pixels and must lie inside the image.
    """
    record = _checked(record, channels)

    def window_of_jpeg() -> Tensor:
        # The decoder interpolates the coarser grid of colors between neighbors, which
        # are missing at the edges of a window: decodes one more column on either side.
        first = tf.maximum(left - 1, 0)
        last = tf.minimum(left + width + 1, tf.io.extract_jpeg_shape(record)[1])
        wider = tf.image.decode_and_crop_jpeg(
            record,
            tf.stack([top, first, height, last - first]),
            channels=3,
            dct_method="INTEGER_ACCURATE",
        )
        return wider[:, left - first : left - first + width]

    def window_of(image: Tensor) -> Tensor:
        return image[top : top + height, left : left + width]

    if not _is_encoded(record):
        return _with_channels(window_of(record), channels)
    window = tf.cond(
        tf.io.is_jpeg(record),
        window_of_jpeg,
        lambda: window_of(_decode_other(record)),
    )
    return _with_channels(tf.ensure_shape(window, (None, None, 3)), channels)


def image_size(record: Tensor) -> tuple[Tensor, Tensor]:
    """Height and width of a record, in pixels: two scalars, int32.

    Those of a JPEG, PNG or WebP are read from its header; a GIF or BMP is decoded.
    The errors are those of `decode`.
    """
    record = _checked(record)
    if not _is_encoded(record):
        shape = tf.shape(record)
        return shape[0], shape[1]
    record = _of_allowed_size(record)
    size = tf.cond(
        is_gif(record) | is_bmp(record),
        lambda: tf.shape(_decode_other(record), "int64")[:2],
        lambda: header_size(record),
    )
    size = tf.cast(size, "int32")
    return size[0], size[1]


def _checked(record: Tensor, channels: int | None = None) -> Tensor:
    if channels not in (None, 1, 3):
        raise ValueError(
            f"`channels` must be 1, 3 or None. Received: channels={channels}"
        )
    record = tf.convert_to_tensor(record)
    shape = record.shape
    is_image = record.dtype == tf.uint8 and shape.rank == 3 and shape[-1] is not None
    if not is_image and not (_is_encoded(record) and shape.is_compatible_with(())):
        raise ValueError(
            "A record must be an encoded image, a scalar string, or pixels of shape "
            "(height, width, channels), uint8, with the channels known. Received: "
            f"{record.dtype.name} of shape {shape}"
        )
    return record


def _is_encoded(record: Tensor) -> bool:
    return record.dtype == tf.string


def _of_allowed_size(record: Tensor) -> Tensor:
    """The record, after a check of the size in its header."""
    height, width = tf.unstack(header_size(record))
    message = tf.strings.format(
        f"an image must have at most {MAX_PIXELS} pixels, {MAX_SIDE} a side. Received: "
        "height={}, width={}",
        (height, width),
    )
    return with_assertion(record, is_allowed(height, width), message)


def _decode_other(record: Tensor) -> Tensor:
    """PNG, GIF, BMP and WebP, always in color."""

    def decode_as(channels: int) -> Tensor:
        image = tf.io.decode_image(record, channels=channels, expand_animations=False)
        return tf.ensure_shape(image, (None, None, channels))[..., :3]

    def decode_webp() -> Tensor:
        # The decoder requires the number of channels in the file, and if it is left
        # out, TensorFlow 2.21 aborts the process on animations.
        _, has_alpha, is_animated = webp_header(record)
        message = "an animated WebP is not decoded"
        alpha = with_assertion(has_alpha, ~is_animated, message)
        return tf.cond(alpha, lambda: decode_as(4), lambda: decode_as(3))

    return tf.cond(is_webp(record), decode_webp, lambda: decode_as(3))


def _with_channels(image: Tensor, channels: int | None) -> Tensor:
    available = image.shape[-1]
    if channels in (None, available):
        return image
    if channels == 3:
        # Repeats gray three times, and drops alpha.
        chosen = (0, 0, 0) if available < 3 else (0, 1, 2)
        return tf.gather(image, chosen, axis=-1)
    if available == 2:
        return image[..., :1]
    return tf.cast(luma(image[..., :3])[..., None], "uint8")
