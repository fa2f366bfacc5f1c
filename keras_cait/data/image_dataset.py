"""Labeled images for training and testing, of any source."""

import hashlib
import json
from dataclasses import dataclass

import tensorflow as tf

from keras_cait.data.labeled_images import LabeledImages

PHOTO_SIZE = 224
"""Height and width in pixels for sets of images of many sizes."""

MEMORY_LIMIT = 2**30
"""Bytes of encoded images; smaller sets are kept in memory."""

_FINGERPRINTED = 16  # images of each part


@dataclass(frozen=True, kw_only=True)
class ImageDataset:
    """Images with labels, split for training and for testing."""

    name: str  # in reports
    class_names: tuple[str, ...]  # by index
    # Height and width in pixels, and channels: those of every image, or a suitable
    # shape where the images differ.
    image_shape: tuple[int, int, int]
    train: LabeledImages
    test: LabeledImages


def fingerprint_of(data: ImageDataset) -> str:
    """A hash of a data set's classes, sizes and first images, 16 hexadecimal digits.

    Example:
        >>> from keras_cait.data.sources.load import load_dataset
        >>> whole, part = load_dataset("digits"), load_dataset("digits", limit=100)
        >>> fingerprint_of(whole) == fingerprint_of(whole)
        True
        >>> fingerprint_of(whole) == fingerprint_of(part)
        False

    """
    numbers = (data.train.number, data.test.number)
    digest = hashlib.sha256(json.dumps((data.class_names, numbers)).encode())
    for images in (data.train, data.test):
        for key in images.in_order().take(_FINGERPRINTED):
            record, label = images.read(key)
            digest.update(tf.io.serialize_tensor(record).numpy())
            digest.update(tf.io.serialize_tensor(label).numpy())
    return digest.hexdigest()[:16]
