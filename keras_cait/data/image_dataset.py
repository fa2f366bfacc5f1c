"""A data set of labeled images, wherever it comes from."""

import hashlib
import json
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from keras_cait.data.labeled_images import LabeledImages

_FINGERPRINTED = 16  # images of each part


@dataclass(frozen=True, kw_only=True)
class ImageDataset:
    """Images with labels, split for training and for testing.

    Attributes:
        name: What to call it in a report.
        class_names: Name of each class, by index.
        image_shape: Height and width in pixels, and channels: those of every
            image, or where they differ what suits them.
        train: The images to train on.
        test: The images to measure on.
    """

    name: str
    class_names: tuple[str, ...]
    image_shape: tuple[int, int, int]
    train: LabeledImages
    test: LabeledImages


def fingerprint_of(data: ImageDataset) -> str:
    """A word for what a data set holds: its classes, sizes, and its first images.

    Example:
        >>> from keras_cait.data.sources.load import load_dataset
        >>> one, other = load_dataset("digits"), load_dataset("digits", limit=100)
        >>> fingerprint_of(one) == fingerprint_of(one), fingerprint_of(one) == (
        ...     fingerprint_of(other))
        (True, False)

    """
    numbers = (data.train.number, data.test.number)
    digest = hashlib.sha256(json.dumps((data.class_names, numbers)).encode())
    for images in (data.train, data.test):
        for key in images.in_order().take(_FINGERPRINTED):
            record, label = images.read(key)
            digest.update(tf.io.serialize_tensor(record).numpy())
            digest.update(tf.io.serialize_tensor(label).numpy())
    return digest.hexdigest()[:16]


def in_random_order(
    number: int, limit: int | None, seed: int = 0
) -> np.ndarray:  # the same on every call, whatever else draws random numbers
    """Indices of all items, or of `limit` of them drawn without replacement."""
    return np.random.default_rng(seed).permutation(number)[:limit]
