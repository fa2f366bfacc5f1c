"""A data set of labelled images, wherever it comes from."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf


@dataclass(frozen=True, kw_only=True)
class ImageDataset:
    """Images with labels, split for training and for testing.

    Attributes:
        name: What to call it in a report.
        class_names: Name of each class, by index.
        image_shape: Height and width in pixels, and channels, of every image.
        train: Pairs of an image, uint8 in [0, 255], and its label, int64.
        test: The same, for measuring.
        num_train: Number of training images.
        num_test: Number of test images.
    """

    name: str
    class_names: tuple[str, ...]
    image_shape: tuple[int, int, int]
    train: tf.data.Dataset
    test: tf.data.Dataset
    num_train: int
    num_test: int


def load_dataset(
    name: str | None = None,
    *,
    data_dir: Path | None = None,
    image_size: int | None = None,
    limit: int | None = None,
) -> ImageDataset:
    """Loads digits, a folder of images, or a data set of TensorFlow Datasets.

    Args:
        name: "digits" (scikit-learn's, 8 x 8 pixels, nothing to download) or a
            name of TensorFlow Datasets such as "cifar10". None takes the folder
            `data_dir`, or digits without one.
        data_dir: A folder of `train/<class>/*` and `val/` or `test/`; beside a
            name of TensorFlow Datasets, where that keeps its files.
        image_size: Side in pixels that every image is resized and cropped to.
            None keeps the size of the data.
        limit: At most so many training images, and as many test images.

    Returns:
        The data set.

    Raises:
        ValueError: If there is no such data set, or its images cannot serve.

    Example:
        >>> digits = load_dataset("digits")
        >>> digits.num_train + digits.num_test, digits.image_shape
        (1797, (8, 8, 1))

    """
    # Each source is imported when it is asked for: they need different packages.
    if limit is not None and limit < 1:
        raise ValueError(f"`limit` must be 1 or more. Received: limit={limit}")
    if image_size is not None and image_size < 1:
        raise ValueError(f"`image_size` must be 1 or more. Received: {image_size}")
    options: dict[str, Any] = {"image_size": image_size, "limit": limit}
    if name is None and data_dir is not None:
        from keras_cait.data.folder import load_folder

        return load_folder(data_dir, **options)
    if name in (None, "digits"):
        from keras_cait.data.digits import load_digits

        return load_digits(**options)
    from keras_cait.data.tfds import load_tfds

    return load_tfds(name, data_dir=data_dir, **options)


def fit_image(image: tf.Tensor, image_size: int | None) -> tf.Tensor:
    """Resizes the shorter side bicubically to `image_size`, and crops the middle.

    `(height, width, channels)` uint8 to `(image_size, image_size, channels)`
    uint8; unchanged where it has that size, or without one.
    """
    if image_size is None or image.shape[:2] == (image_size, image_size):
        return image
    size = tf.cast(tf.shape(image)[:2], "float32")
    scaled = tf.round(size * image_size / tf.reduce_min(size))
    resized = tf.image.resize(
        image, tf.cast(scaled, "int32"), method="bicubic", antialias=True
    )
    # On the central square, and rounded back from bicubic's overshoots.
    square = tf.image.resize_with_crop_or_pad(resized, image_size, image_size)
    return tf.cast(tf.clip_by_value(tf.round(square), 0, 255), "uint8")


def in_random_order(
    number: int, limit: int | None, seed: int = 0
) -> np.ndarray:  # the same on every call, whatever else draws random numbers
    """Indices of all items, or of `limit` of them drawn without replacement."""
    return np.random.default_rng(seed).permutation(number)[:limit]
