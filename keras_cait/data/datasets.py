"""A data set of labelled images, wherever it comes from."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_cait.data.evaluation_split import EvaluationSplit
from keras_cait.data.labelled_images import LabelledImages

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
    train: LabelledImages
    test: LabelledImages


def load_dataset(
    name: str | None = None,
    *,
    data_dir: Path | None = None,
    limit: int | None = None,
    test_split: str | None = None,
    validation_split: float | None = None,
    split_seed: int = 0,
) -> ImageDataset:
    """Loads digits, a folder of images, or a data set of TensorFlow Datasets.

    Args:
        name: "digits" (scikit-learn's, 8 x 8 pixels, nothing to download) or a
            name of TensorFlow Datasets such as "cifar10". None takes the folder
            `data_dir`, or digits without one.
        data_dir: A folder of `train/<class>/*` and `val/` or `test/`, or with
            `validation_split` one of `<class>/*`; beside a name of TensorFlow
            Datasets, where that keeps its files.
        limit: At most so many training images, and as many test images.
        test_split: Name of the split or folder to measure on; by default the first
            one with labels, of `test`, `validation` and `val` in TensorFlow
            Datasets, of `val`, `validation` and `test` in a folder.
        validation_split: Part of each class of a folder that is kept from training to
            measure on, above 0 and below 1; for folders without test images.
        split_seed: Of the choice of that part, which depends on nothing else.

    Returns:
        The data set.

    Raises:
        ValueError: If there is no such data set, or its images cannot serve.

    Example:
        >>> digits = load_dataset("digits")
        >>> digits.train.number + digits.test.number, digits.image_shape
        (1797, (8, 8, 1))

    """
    _check_limit(limit)
    split = EvaluationSplit(name=test_split, fraction=validation_split, seed=split_seed)
    # Each source is imported when it is asked for: they need different packages.
    if name is None and data_dir is not None:
        from keras_cait.data.folder import load_folder

        return load_folder(data_dir, limit=limit, split=split)
    if name in (None, "digits"):
        from keras_cait.data.digits import load_digits

        return load_digits(limit=limit, split=split)
    from keras_cait.data.tfds import load_tfds

    return load_tfds(name, data_dir=data_dir, limit=limit, split=split)


def load_test_images(
    name: str | None = None,
    *,
    data_dir: Path | None = None,
    limit: int | None = None,
    test_split: str | None = None,
    validation_split: float | None = None,
    split_seed: int = 0,
) -> tuple[tuple[str, ...], LabelledImages]:
    """The names of the classes and the images to measure on.

    As `load_dataset`, but nothing to train on is read, and a folder needs none:
    `data_dir` holds `val/` or `test/`, or the class folders themselves, of which all
    images count unless `validation_split` chooses some.
    """
    _check_limit(limit)
    split = EvaluationSplit(name=test_split, fraction=validation_split, seed=split_seed)
    if name is None and data_dir is not None:
        from keras_cait.data.folder import load_test_folder

        return load_test_folder(data_dir, limit=limit, split=split)
    if name not in (None, "digits"):
        from keras_cait.data.tfds import load_test_tfds

        return load_test_tfds(name, data_dir=data_dir, limit=limit, split=split)
    from keras_cait.data.digits import load_digits

    data = load_digits(limit=limit, split=split)
    return data.class_names, data.test


def _check_limit(limit: int | None) -> None:
    if limit is not None and limit < 1:
        raise ValueError(f"`limit` must be 1 or more. Received: limit={limit}")


def fingerprint_of(data: ImageDataset) -> str:
    """A word for what a data set holds: its classes, sizes, and its first images.

    Example:
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
