"""Preprocessing of served images: encoded files or arrays, to the pixels of a model."""

from collections.abc import Callable

import tensorflow as tf

from keras_cait.data.images.assertions import with_assertion
from keras_cait.data.images.decoding import decode
from keras_cait.data.images.evaluation_transform import EvaluationTransform
from keras_cait.data.images.gray_levels import to_gray_levels
from keras_cait.data.images.headers import (
    header_size,
    is_bmp,
    is_gif,
    is_png,
    is_webp,
)
from keras_cait.data.images.size_limits import MAX_PIXELS, MAX_SIDE, is_allowed
from keras_cait.export.saved_model.jpeg_scans import has_more_scans
from keras_cait.typing import Tensor

MAX_SCANS = 100  # of a progressive JPEG; encoders write about ten
_PARALLEL_IMAGES = 2  # of a batch; bounds the memory


def transform_files(files: Tensor, transform: EvaluationTransform) -> Tensor:
    """Decodes, resizes and crops `(batch,)` files, JPEG or PNG of any size and color.

    Returns `(batch, *image_size, channels)` uint8, each image equal to
    `transform(file)`. An error about a file that is not a JPEG or PNG, is corrupt, or
    exceeds the size limits contains its index in the batch.
    """

    def prepare(numbered: tuple[Tensor, Tensor]) -> Tensor:
        number, file = numbered
        image = _decoded_or_empty(file, transform.channels)
        message = tf.strings.format(
            "image {} of the batch cannot be decoded: expected a JPEG or PNG of at "
            f"most {MAX_PIXELS} pixels, {MAX_SIDE} a side. Received: {{}} bytes, ",
            (number, tf.strings.length(file)),
        )
        message = tf.strings.join([message, _file_type(file)])
        return transform(with_assertion(image, tf.size(image) > 0, message))

    return _map_images(prepare, tf.convert_to_tensor(files), transform)


def transform_arrays(images: Tensor, transform: EvaluationTransform) -> Tensor:
    """As `transform_files`, for decoded images.

    They are `(batch, height, width, channels)` float32 in [0, 255]. Values outside are
    clipped, and all values are rounded to whole gray levels. An error is raised if a
    value is not finite, or the shape is wrong.
    """

    def prepare(numbered: tuple[Tensor, Tensor]) -> Tensor:
        number, image = numbered
        message = tf.strings.format(
            "image {} of the batch contains values that are not finite", number
        )
        finite = tf.reduce_all(tf.math.is_finite(image))
        image = with_assertion(image, finite, message)
        image = tf.ensure_shape(image, (None, None, transform.channels))
        return transform(to_gray_levels(image))

    images = tf.convert_to_tensor(images, "float32")
    shape = tf.shape(images, tf.int64)
    # A server does not check the shape of a request against the signature. TensorFlow
    # assumes the size of the last axis, so the number of values is compared.
    values = shape[0] * shape[1] * shape[2] * transform.channels
    fits = (tf.size(images, tf.int64) == values) & is_allowed(shape[1], shape[2])
    message = tf.strings.format(
        f"images must be of shape (batch, height, width, {transform.channels}), 1 to "
        f"{MAX_SIDE} pixels a side. Received: {{}}",
        shape,
    )
    return _map_images(prepare, with_assertion(images, fits, message), transform)


def _map_images(
    prepare: Callable[[tuple[Tensor, Tensor]], Tensor],
    batch: Tensor,
    transform: EvaluationTransform,
) -> Tensor:
    """Prepares the images of a batch on the CPU, a few at a time.

    Files are decoded there, and a GPU might resize with a mantissa of 10 bits (TF32).
    """
    with tf.device("CPU"):
        return tf.map_fn(
            prepare,
            (tf.range(tf.shape(batch)[0]), batch),
            fn_output_signature=tf.TensorSpec(
                (*transform.image_size, transform.channels), "uint8"
            ),
            parallel_iterations=_PARALLEL_IMAGES,
        )


def _decoded_or_empty(file: Tensor, channels: int | None) -> Tensor:
    """`(height, width, channels)` uint8; height 0 if decoding fails.

    A graph cannot catch an error, but a data set can skip the element that caused it.
    The caller then raises an error that contains the index of the image.
    """
    empty = tf.zeros((0, 0, channels), "uint8")
    images = (
        tf.data.Dataset.from_tensors(file)
        .map(lambda file: _decoded(file, channels))
        .ignore_errors()
        .concatenate(tf.data.Dataset.from_tensors(empty))
    )
    return images.take(1).get_single_element()


def _decoded(file: Tensor, channels: int | None) -> Tensor:
    height, width = tf.unstack(header_size(file))
    # Each scan of a JPEG covers the whole image, and takes only a few bytes.
    is_served = tf.cond(
        tf.io.is_jpeg(file),
        lambda: ~has_more_scans(file, MAX_SCANS),
        lambda: is_png(file),
    )
    allowed = is_served & is_allowed(height, width)
    return decode(with_assertion(file, allowed, "refused"), channels)


def _file_type(file: Tensor) -> Tensor:
    """The file type that the first bytes declare, for an error message."""
    types = {
        "a JPEG": tf.io.is_jpeg(file),
        "a PNG": is_png(file),
        "a GIF": is_gif(file),
        "a BMP": is_bmp(file),
        "a WebP": is_webp(file),
    }
    name = tf.constant("of an unknown file type")
    for candidate, matches in types.items():
        name = tf.where(matches, candidate, name)
    return name
