"""A folder of images: DIR/train/<class>/* and DIR/val or DIR/test."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_cait.data.datasets import ImageDataset, in_random_order
from keras_cait.data.decoding import decode
from keras_cait.data.evaluation_split import EvaluationSplit
from keras_cait.data.labelled_images import IndexedImages, images_in_memory

_SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".gif"}  # what TensorFlow decodes
_TEST_DIRS = ("val", "validation", "test")
_IN_MEMORY = 2**30  # bytes of files up to which they are kept
_PHOTO_SIZE = 224  # pixels, for folders of photographs of many sizes


def load_folder(
    data_dir: Path, *, limit: int | None, split: EvaluationSplit
) -> ImageDataset:
    """Images in class folders; see `load_dataset`.

    Class folders sorted by name are the class indices. The files of small sets
    are kept in memory, and decoded once at the start, so that one that is no
    image shows before training. Those of larger sets are read as they are needed.
    """
    train_dir = Path(data_dir, "train")
    test_dir = _test_dir(data_dir, split)
    if not train_dir.is_dir() or test_dir is None:
        raise ValueError(
            "`data_dir` must hold train/<class>/* and val/<class>/* or "
            f"test/<class>/*. Received: {data_dir}, in which are "
            f"{_listing(data_dir)}"
        )
    class_names = _classes(train_dir)
    if set(_classes(test_dir)) - set(class_names):
        extra = sorted(set(_classes(test_dir)) - set(class_names))
        raise ValueError(
            f"Every class to test on must be one to train on. Received: {test_dir} "
            f"with the classes {extra}, which {train_dir} lacks."
        )
    train, test = (_files(part, class_names, limit) for part in (train_dir, test_dir))
    size = _natural_size(train[0][0])
    return ImageDataset(
        name=Path(data_dir).resolve().name,
        class_names=tuple(class_names),
        image_shape=(size, size, 3),
        train=_images(*train),
        test=_images(*test),
    )


def load_test_folder(
    data_dir: Path, *, limit: int | None, split: EvaluationSplit
) -> tuple[tuple[str, ...], IndexedImages]:
    """Class names and images of `data_dir`, or of val/ or test/ in it."""
    folder = _test_dir(data_dir, split) or Path(data_dir)
    if not folder.is_dir():
        raise ValueError(
            "`data_dir` must hold class folders of images, or val/ or test/ with them. "
            f"Received: {data_dir}, in which are {_listing(data_dir)}"
        )
    class_names = _classes(folder)
    return tuple(class_names), _images(*_files(folder, class_names, limit))


def _test_dir(data_dir: Path, split: EvaluationSplit) -> Path | None:
    names = _TEST_DIRS if split.name is None else (split.name,)
    folders = [Path(data_dir, name) for name in names]
    found = next((folder for folder in folders if folder.is_dir()), None)
    if found is None and split.name is not None:
        raise ValueError(
            "`test_split` must be a folder in `data_dir`. Received: "
            f"test_split={split.name!r} and {data_dir}, in which are "
            f"{_listing(data_dir)}"
        )
    return found


def _listing(folder: Path) -> str:
    if not folder.is_dir():
        return "no folder of that name"
    return str(sorted(entry.name for entry in folder.iterdir())[:10])


def _classes(folder: Path) -> list[str]:
    names = sorted(
        entry.name
        for entry in folder.iterdir()
        if entry.is_dir() and not entry.name.startswith(".")
    )
    if len(names) < 2:
        raise ValueError(
            "A folder to learn from must hold two class folders or more. "
            f"Received: {folder} with {names}"
        )
    return names


def _files(
    folder: Path, class_names: list[str], limit: int | None
) -> tuple[list[str], np.ndarray]:
    paths: list[str] = []
    labels: list[int] = []
    for label, name in enumerate(class_names):
        images = sorted(
            str(path)
            for path in Path(folder, name).rglob("*")
            if path.suffix.lower() in _SUFFIXES and not path.name.startswith(".")
        )
        if not images and folder.name == "train":
            raise ValueError(
                "Every class folder must hold images "
                f"({', '.join(sorted(_SUFFIXES))}). Received: {folder / name} "
                "without any."
            )
        paths += images
        labels += [label] * len(images)
    if not paths:
        raise ValueError(f"Expected images in the class folders. Received: {folder}")
    chosen = in_random_order(len(paths), limit)
    return [paths[index] for index in chosen], np.array(labels, "int64")[chosen]


def _natural_size(path: str) -> int:
    """The side of thumbnails, which are used as they are; 224 for photographs."""
    with naming_the_corrupt([path]):
        side = int(tf.reduce_min(tf.shape(decode(tf.io.read_file(path)))[:2]))
    return side if side <= 64 else _PHOTO_SIZE


def _images(paths: list[str], labels: np.ndarray) -> IndexedImages:
    if sum(Path(path).stat().st_size for path in paths) > _IN_MEMORY:
        names = images_in_memory(paths, labels)

        def read(index: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            path, label = names.read(index)
            return tf.io.read_file(path), label

        return IndexedImages(len(paths), read)
    with naming_the_corrupt(paths):
        files = tf.data.Dataset.from_tensor_slices(paths).map(tf.io.read_file)
        for _ in files.map(decode, num_parallel_calls=tf.data.AUTOTUNE):
            pass
    return images_in_memory([Path(path).read_bytes() for path in paths], labels)


@contextlib.contextmanager
def naming_the_corrupt(paths: list[str]) -> Iterator[None]:
    """Turns TensorFlow's error on an image into one that names the file."""
    try:
        yield
    except tf.errors.InvalidArgumentError as error:
        for path in paths:
            try:
                decode(tf.io.read_file(path))
            except tf.errors.InvalidArgumentError as reason:
                raise ValueError(
                    f"Expected an image in every file. Received: {path}, which cannot "
                    f"be decoded ({reason.message.splitlines()[0]}). Mend or remove it."
                ) from error
        raise
