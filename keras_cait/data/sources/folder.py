"""A folder of images: DIR/train/<class>/* and DIR/val or test, or DIR/<class>/*."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_cait.data.image_dataset import MEMORY_LIMIT, PHOTO_SIZE, ImageDataset
from keras_cait.data.image_files import (
    IMAGE_SUFFIXES,
    class_folders,
    image_files,
    printable,
)
from keras_cait.data.images.decoding import decode
from keras_cait.data.labeled_images import (
    IndexedImages,
    images_in_files,
    images_in_memory,
)
from keras_cait.data.permutation import shuffled_indices
from keras_cait.data.sources.evaluation_split import EvaluationSplit, PathsByClass
from keras_cait.data.sources.unreadable_images import name_unreadable_images

_TEST_DIRS = ("val", "validation", "test")
_THUMBNAIL = 64  # pixels; smaller images are not enlarged


def load_folder(
    data_dir: Path, *, limit: int | None, split: EvaluationSplit
) -> ImageDataset:
    """Images in class folders; see `load_dataset`.

    Class folders sorted by name are the class indices. The files of small sets
    are kept in memory, and decoded once at the start, so that a file that is no
    image shows before training. Those of larger sets are read when they are used.
    """
    data_dir = Path(data_dir)
    train_dir = _train_dir(data_dir, split)
    class_names = _class_names(train_dir)
    if split.fraction is None:
        test_dir = _test_dir(data_dir, split)
        if test_dir is None:
            raise ValueError(_without_test_images(data_dir))
        _check_test_classes(test_dir, class_names, train_dir)
        train = image_files(train_dir, class_names)
        test = _test_files(test_dir, class_names)
    else:
        by_class = image_files(train_dir, class_names)
        train, test = split.hold_out(by_class, class_names, train_dir)
    for name, paths in zip(class_names, train, strict=True):
        if not paths:
            raise ValueError(
                "Every class folder must hold images "
                f"({', '.join(IMAGE_SUFFIXES)}). Received: "
                f"{printable(train_dir / name)} without any."
            )
    train_paths, train_labels = _shuffled(train, limit)
    size = _natural_size(train_paths[0])
    return ImageDataset(
        name=printable(data_dir.resolve().name),
        class_names=tuple(class_names),
        image_shape=(size, size, 3),
        train=_images(train_paths, train_labels),
        test=_images(*_shuffled(test, limit)),
    )


def load_test_folder(
    data_dir: Path, *, limit: int | None, split: EvaluationSplit
) -> tuple[tuple[str, ...], IndexedImages]:
    """Class names and images of `data_dir`, or of val/ or test/ in it.

    If `train/` lies beside the images, its folders are the classes: the images to
    measure on may lack some.
    """
    data_dir = Path(data_dir)
    folder = None if split.fraction is not None else _test_dir(data_dir, split)
    if split.fraction is not None:
        train_dir = _train_dir(data_dir, split)
        class_names = _class_names(train_dir)
        by_class = image_files(train_dir, class_names)
        test = split.hold_out(by_class, class_names, train_dir)[1]
    elif folder is not None:
        has_train = (data_dir / "train").is_dir()
        class_names = _class_names(data_dir / "train" if has_train else folder)
        _check_test_classes(folder, class_names, data_dir / "train")
        test = _test_files(folder, class_names)
    elif data_dir.is_dir():
        class_names = _class_names_beside(data_dir)
        test = _test_files(data_dir, class_names)
    else:
        raise ValueError(
            "`data_dir` must hold class folders of images, or val/ or test/ with them. "
            f"Received: {printable(data_dir)}, in which are {_listing(data_dir)}"
        )
    return tuple(class_names), _images(*_shuffled(test, limit))


def _train_dir(data_dir: Path, split: EvaluationSplit) -> Path:
    """The folder of the images to train on, perhaps with those to hold out."""
    train_dir = data_dir / "train"
    if split.fraction is None:
        if train_dir.is_dir():
            return train_dir
        raise ValueError(_without_test_images(data_dir))
    there = [name for name in _TEST_DIRS if (data_dir / name).is_dir()]
    if there:
        raise ValueError(
            "`validation_split` is for folders without test images. Received: "
            f"validation_split={split.fraction} and {printable(data_dir)} with "
            f"{there[0]}/"
        )
    return train_dir if train_dir.is_dir() else data_dir


def _without_test_images(data_dir: Path) -> str:
    """Error for a folder without train/ or without test images."""
    flat = "train" if (data_dir / "train").is_dir() else "."
    folders = class_folders(data_dir / flat) if data_dir.is_dir() else []
    advice = ""
    if len(folders) >= 2 and not set(folders) & {"train", *_TEST_DIRS}:
        advice = ". Keep a part of each class to measure on with --validation-split 0.2"
    return (
        "`data_dir` must hold train/<class>/* and val/<class>/* or "
        f"test/<class>/*. Received: {printable(data_dir)}, in which are "
        f"{_listing(data_dir)}{advice}"
    )


def _test_dir(data_dir: Path, split: EvaluationSplit) -> Path | None:
    names = _TEST_DIRS if split.name is None else (split.name,)
    folders = [data_dir / name for name in names]
    found = next((folder for folder in folders if folder.is_dir()), None)
    if found is None and split.name is not None:
        raise ValueError(
            "`test_split` must be a folder in `data_dir`. Received: "
            f"test_split={split.name!r} and {printable(data_dir)}, in which are "
            f"{_listing(data_dir)}"
        )
    return found


def _listing(folder: Path) -> str:
    if not folder.is_dir():
        return "no folder of that name"
    return str(sorted(printable(entry.name) for entry in folder.iterdir())[:10])


def _class_names(folder: Path) -> list[str]:
    names = class_folders(folder) if folder.is_dir() else []
    if len(names) < 2:
        raise ValueError(
            "A folder of training images must hold two class folders or more. "
            f"Received: {printable(folder)} with {names}"
        )
    return names


def _class_names_beside(folder: Path) -> list[str]:
    """The class folders in a folder; for val/ or test/, those of train/ beside it."""
    beside = folder.resolve().parent / "train"
    if folder.resolve().name in _TEST_DIRS and beside.is_dir():
        names = class_folders(beside)
        if len(names) >= 2 and set(class_folders(folder)) <= set(names):
            return names
    return _class_names(folder)


def _check_test_classes(
    test_dir: Path, class_names: Sequence[str], train_dir: Path
) -> None:
    extra = sorted(set(class_folders(test_dir)) - set(class_names))
    if extra:
        raise ValueError(
            "Every class to test on must be one to train on. Received: "
            f"{printable(test_dir)} with the classes {extra}, which "
            f"{printable(train_dir)} lacks."
        )


def _test_files(folder: Path, class_names: Sequence[str]) -> PathsByClass:
    by_class = image_files(folder, class_names)
    if not any(by_class):
        raise ValueError(
            f"Expected images in the class folders. Received: {printable(folder)}"
        )
    return by_class


def _shuffled(
    by_class: PathsByClass, limit: int | None
) -> tuple[list[str], np.ndarray]:
    """Paths and labels, `limit` of them at most, in random order."""
    paths = [path for group in by_class for path in group]
    labels = np.repeat(np.arange(len(by_class)), [len(group) for group in by_class])
    chosen = shuffled_indices(len(paths), limit)
    return [paths[index] for index in chosen], labels[chosen].astype("int64")


def _natural_size(path: str) -> int:
    """The shorter side of a thumbnail; 224 for a photograph."""
    with name_unreadable_images(images_in_files([path], [0])):
        record = tf.io.read_file(os.fsencode(path))
        side = int(tf.reduce_min(tf.shape(decode(record))[:2]))
    return side if side <= _THUMBNAIL else PHOTO_SIZE


def _images(paths: list[str], labels: np.ndarray) -> IndexedImages:
    files = images_in_files(paths, labels)
    if sum(Path(path).stat().st_size for path in paths) > MEMORY_LIMIT:
        return files
    with name_unreadable_images(files):
        records = files.in_order().map(lambda index: files.read(index)[0])
        for _ in records.map(decode, num_parallel_calls=tf.data.AUTOTUNE):
            pass
    return images_in_memory([Path(path).read_bytes() for path in paths], labels)
