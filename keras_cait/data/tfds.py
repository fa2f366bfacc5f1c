"""Any image classification set of TensorFlow Datasets, by its name."""

import difflib
from pathlib import Path
from typing import Any

import tensorflow as tf

from keras_cait.data.datasets import ImageDataset, fit_image

_TEST_SPLITS = ("test", "validation", "val")
_PHOTO_SIZE = 224  # pixels, where the data set has images of many sizes


def load_tfds(
    name: str, *, data_dir: Path | None, image_size: int | None, limit: int | None
) -> ImageDataset:
    """A set of TensorFlow Datasets, downloaded if need be; see `load_dataset`."""
    import tensorflow_datasets as tfds

    try:
        builder = tfds.builder(name, data_dir=data_dir)
    except tfds.core.DatasetNotFoundError as error:
        known = ["digits", *tfds.list_builders()]
        near = difflib.get_close_matches(name, known, n=3)
        raise ValueError(
            '`dataset` must be "digits" or a name of TensorFlow Datasets. '
            f"Received: {name!r}. Nearest: {', '.join(near) or 'none'}"
        ) from error
    features = builder.info.features or {}
    if not {"image", "label"} <= set(features):
        raise ValueError(
            "`dataset` must have the features image and label. "
            f"Received: {name!r} with {sorted(features)}"
        )
    builder.download_and_prepare()
    splits = builder.info.splits
    test_split = next((split for split in _TEST_SPLITS if split in splits), None)
    if "train" not in splits or test_split is None:
        raise ValueError(
            f"`dataset` must have the splits train and one of {_TEST_SPLITS}. "
            f"Received: {name!r} with {sorted(splits)}"
        )
    shape = features["image"].shape
    if image_size is None:
        image_size = shape[0] if shape[0] == shape[1] and shape[0] else _PHOTO_SIZE
    train, test = (
        _pairs(builder, split, image_size, limit) for split in ("train", test_split)
    )
    sizes = [splits[split].num_examples for split in ("train", test_split)]
    return ImageDataset(
        name=name,
        class_names=tuple(features["label"].names),
        image_shape=(image_size, image_size, shape[-1] or 3),
        train=train,
        test=test,
        num_train=min(sizes[0], limit or sizes[0]),
        num_test=min(sizes[1], limit or sizes[1]),
    )


def _pairs(
    builder: Any, split: str, image_size: int, limit: int | None
) -> tf.data.Dataset:
    dataset = builder.as_dataset(split=split, as_supervised=False)
    if limit is not None:
        dataset = dataset.take(limit)
    return dataset.map(
        lambda pair: (
            fit_image(pair["image"], image_size),
            tf.cast(pair["label"], "int64"),
        ),
        num_parallel_calls=tf.data.AUTOTUNE,
    )
