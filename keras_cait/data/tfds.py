"""Any image classification set of TensorFlow Datasets, by its name."""

import difflib
from pathlib import Path
from typing import Any

import tensorflow as tf

from keras_cait.data.datasets import ImageDataset
from keras_cait.data.labelled_images import StreamedImages

_TEST_SPLITS = ("test", "validation", "val")
_PHOTO_SIZE = 224  # pixels, where the data set has images of many sizes
_IN_MEMORY = 2**29  # bytes of images to shuffle at a time


def load_tfds(name: str, *, data_dir: Path | None, limit: int | None) -> ImageDataset:
    """A set of TensorFlow Datasets, downloaded if need be; see `load_dataset`.

    Images stay encoded until they are used. A set of more than half a gigabyte is
    not shuffled whole, but in blocks of that size.
    """
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
    size = shape[0] if shape[0] == shape[1] and shape[0] else _PHOTO_SIZE
    return ImageDataset(
        name=name,
        class_names=tuple(features["label"].names),
        image_shape=(size, size, 3),
        train=_images(builder, "train", limit),
        test=_images(builder, test_split, limit),
    )


def _images(builder: Any, split: str, limit: int | None) -> StreamedImages:
    import tensorflow_datasets as tfds

    examples = builder.as_dataset(
        split=split, decoders={"image": tfds.decode.SkipDecoding()}
    )
    info = builder.info.splits[split]
    number = min(info.num_examples, limit or info.num_examples)
    return StreamedImages(
        number,
        examples.take(number).map(
            lambda example: (example["image"], tf.cast(example["label"], "int64"))
        ),
        block=min(number, 1 + info.num_examples * _IN_MEMORY // info.num_bytes),
    )
