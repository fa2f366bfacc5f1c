"""Image classification sets of TensorFlow Datasets, by their names."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from keras_cait.data.image_dataset import MEMORY_LIMIT, PHOTO_SIZE, ImageDataset
from keras_cait.data.images.assertions import with_assertion
from keras_cait.data.labeled_images import LabeledImages, images_in_memory
from keras_cait.data.sharded_images import Records, ShardedImages
from keras_cait.data.sources.evaluation_split import EvaluationSplit
from keras_cait.optional_packages import import_optional
from keras_cait.suggestion import did_you_mean
from keras_cait.typing import Tensor

_TEST_SPLITS = ("test", "validation", "val")
_BLOCK = 2**28  # bytes of encoded images that larger sets shuffle at a time
_PIECE = 2**22  # bytes that are read in a row
_CHECKED_LABELS = (64, 16)  # of larger sets: places, and records at each


def load_tfds(
    name: str, *, data_dir: Path | None, limit: int | None, split: EvaluationSplit
) -> ImageDataset:
    """A set of TensorFlow Datasets, downloaded if need be; see `load_dataset`.

    Images stay encoded until they are used: those of small sets in memory, those of
    larger sets in their files. The labels of small sets are checked before training;
    of larger sets 1,024 labels, spread over the files, are checked before training,
    and the others when they are read.
    """
    split.check_no_fraction(name)
    builder = _prepared(name, data_dir)
    shape = builder.info.features["image"].shape
    size = shape[0] if shape[0] == shape[1] and shape[0] else PHOTO_SIZE
    if "train" not in builder.info.splits:
        raise ValueError(
            "`dataset` must have a split train. "
            f"Received: {name!r} with {sorted(builder.info.splits)}"
        )
    train, labels = _images(builder, "train", limit)
    _check_labels(builder, "train", labels)
    return ImageDataset(
        name=name,
        class_names=_class_names(builder),
        image_shape=(size, size, 3),
        train=train,
        test=_test_images(builder, split, limit),
    )


def load_test_tfds(
    name: str, *, data_dir: Path | None, limit: int | None, split: EvaluationSplit
) -> tuple[tuple[str, ...], LabeledImages]:
    """Class names and test images, as of `load_tfds`."""
    split.check_no_fraction(name)
    builder = _prepared(name, data_dir)
    return _class_names(builder), _test_images(builder, split, limit)


def _prepared(name: str, data_dir: Path | None) -> Any:
    """The builder of a downloaded set of images with class labels."""
    tfds = import_optional("tensorflow_datasets", "recipes")
    try:
        builder = tfds.builder(name, data_dir=data_dir)
    except tfds.core.DatasetNotFoundError as error:
        known = ["digits", *tfds.list_builders()]
        raise ValueError(
            '`dataset` must be "digits" or a name of TensorFlow Datasets. '
            f"Received: {name!r}.{did_you_mean(name, known)}"
        ) from error
    features = builder.info.features or {}
    if not {"image", "label"} <= set(features):
        raise ValueError(
            "`dataset` must have the features image and label. "
            f"Received: {name!r} with {sorted(features)}"
        )
    builder.download_and_prepare()
    stored = builder.info.file_format
    if stored != tfds.core.FileFormat.TFRECORD:
        raise ValueError(
            "`dataset` must be stored as TFRecord files. Received: "
            f"{name!r}, stored as {stored.value} in {builder.data_dir}. Prepare it "
            "again with file_format='tfrecord'."
        )
    return builder


def _class_names(builder: Any) -> tuple[str, ...]:
    return tuple(builder.info.features["label"].names)


def _test_images(
    builder: Any, split: EvaluationSplit, limit: int | None
) -> LabeledImages:
    """Images of the named split, or of the first split with labels."""
    splits = sorted(builder.info.splits)
    if split.name is not None and split.name not in splits:
        raise ValueError(
            f"`test_split` must be one of {splits}, the splits of {builder.name}. "
            f"Received: test_split={split.name!r}"
        )
    known = [name for name in _TEST_SPLITS if name in splits]
    for name in known if split.name is None else [split.name]:
        images, labels = _images(builder, name, limit)
        if split.name is None and (labels < 0).all():
            continue
        _check_labels(builder, name, labels)
        return images
    without = f", of which {', '.join(known)} have no labels" if known else ""
    raise ValueError(
        f"`dataset` must have one of the splits {', '.join(_TEST_SPLITS)}, with labels "
        f"to compare with. Received: {builder.name!r} with {splits}{without}. Name "
        "another split with --test-split."
    )


def _images(
    builder: Any, split: str, limit: int | None
) -> tuple[LabeledImages, np.ndarray]:
    """The first `limit` images of a split, and the labels to check before training."""
    info = builder.info.splits[split]
    parse = _parser(builder, split)
    shards, left = [], min(info.num_examples, limit or info.num_examples)
    for part in info.file_instructions:
        number = min(part.take if part.take > 0 else part.examples_in_shard, left)
        left -= number
        if number:
            shards.append(Records(str(part.filename), part.skip, number))
    record_bytes = max(1, _bytes_of(info) // info.num_examples)
    images = ShardedImages(
        shards,
        lambda record: _checked(*parse(record), builder, split),
        block=max(1, _BLOCK // record_bytes),
        piece=max(1, _PIECE // record_bytes),
    )
    if images.number * record_bytes > MEMORY_LIMIT:
        labels = [int(parse(record)[1]) for record in images.spread(*_CHECKED_LABELS)]
        return images, np.array(labels)
    pairs = images.in_order().map(parse, num_parallel_calls=tf.data.AUTOTUNE)
    records, labels = zip(*pairs.as_numpy_iterator(), strict=True)
    return images_in_memory(records, labels), np.array(labels)


def _bytes_of(info: Any) -> int:
    """Size of a split in bytes, which some sets do not store."""
    return info.num_bytes or sum(
        tf.io.gfile.stat(str(path)).length for path in info.filepaths
    )


def _parser(builder: Any, split: str) -> Callable[[Tensor], tuple[Tensor, Tensor]]:
    """Maps a serialized record to an encoded image and its label."""
    tfds = import_optional("tensorflow_datasets", "recipes")
    features = builder.info.features
    decoders = {"image": tfds.decode.SkipDecoding()}

    def parse(record: Tensor) -> tuple[Tensor, Tensor]:
        example = features.deserialize_example(record, decoders=decoders)
        return example["image"], tf.cast(example["label"], "int64")

    return parse


def _checked(
    image: Tensor, label: Tensor, builder: Any, split: str
) -> tuple[Tensor, Tensor]:
    """The pair, after a check of the label."""
    classes = len(_class_names(builder))
    is_class = (label >= 0) & (label < classes)
    message = tf.strings.format(
        f"labels must be in [0, {classes - 1}], the {classes} classes of "
        f"{builder.name}. Received: {{}} in the split {split}",
        label,
    )
    return image, with_assertion(label, is_class, message)


def _check_labels(builder: Any, split: str, labels: np.ndarray) -> None:
    """Raises `ValueError` if a label is of no class."""
    classes = len(_class_names(builder))
    wrong = labels[(labels < 0) | (labels >= classes)]
    if not len(wrong):
        return
    advice = (
        "Name a split with labels with --test-split."
        if split != "train"
        else "Correct the data set, or name another."
    )
    raise ValueError(
        f"Labels must be in [0, {classes - 1}], the {classes} classes of "
        f"{builder.name}. Received: {len(wrong)} of {len(labels)} labels of the split "
        f"{split} outside, the first of them {wrong[0]}. {advice}"
    )
