"""Orientation of a photograph in its EXIF metadata, and images turned by it."""

import struct
import warnings
from pathlib import Path

import tensorflow as tf
from PIL import ExifTags, Image

from keras_cait.typing import Tensor

_AS_STORED = 1
_WITH_EXIF = ("JPEG", "PNG", "WEBP")
# Errors of PIL on files that are damaged, or are no images.
_UNREADABLE = (
    *(OSError, EOFError, SyntaxError, ValueError, TypeError, LookupError),
    *(ArithmeticError, struct.error, Image.DecompressionBombError),
)
_STEPS = ((1, 1), (1, -1), (-1, -1), (-1, 1))
"""Steps along rows and columns, of orientations 1 to 4 and again of 5 to 8, whose rows
and columns are exchanged before (EXIF 2.32, section 4.6.4)."""


def stored_orientation(path: Path) -> int:
    """The EXIF orientation of an image file, 1 to 8; 1 also if it tells none.

    Only headers are read, as browsers do: EXIF behind the pixels of a PNG does not
    count, nor an orientation in XMP. A file that cannot be read has orientation 1: it
    is for the decoder to refuse it.
    """
    exif = Image.Exif()
    try:
        with warnings.catch_warnings(action="ignore"):  # of PIL, on damaged metadata
            with Image.open(path, formats=_WITH_EXIF) as image:
                exif.load(image.info.get("exif", b""))
            found = exif.get(ExifTags.Base.Orientation, _AS_STORED)
    except _UNREADABLE:
        return _AS_STORED
    return found if found in range(1, 9) else _AS_STORED


def upright(image: Tensor, orientation: Tensor) -> Tensor:
    """Turns an image `(height, width, channels)` that is stored with an orientation.

    `orientation` is a scalar of 1 to 8. From 5 on, height and width are exchanged.
    """
    orientation = tf.cast(orientation, "int32")

    def turned() -> Tensor:
        exchanged = tf.cond(
            orientation > 4, lambda: tf.transpose(image, (1, 0, 2)), lambda: image
        )
        down, across = tf.unstack(tf.gather(_STEPS, (orientation - 1) % 4))
        return exchanged[::down, ::across]

    result = tf.cond(tf.equal(orientation, _AS_STORED), lambda: image, turned)
    return tf.ensure_shape(result, (None, None, image.shape[-1]))
