"""A folder of images: DIR/train/<class>/* and DIR/val or DIR/test."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_cait.data.datasets import ImageDataset, fit_image, in_random_order

_SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".gif"}  # what TensorFlow decodes
_IN_MEMORY = 2**30  # bytes of pixels up to which images are decoded once and kept
_PHOTO_SIZE = 224  # pixels, for folders of photographs of many sizes


def load_folder(
    data_dir: Path, *, image_size: int | None, limit: int | None
) -> ImageDataset:
    """Images in class folders; see `load_dataset`.

    Class folders sorted by name are the class indices. Small sets are decoded
    once, into memory; then a file that is no image shows before training.
    Larger ones are decoded as they are read.
    """
    train_dir = Path(data_dir, "train")
    test_dir = next(
        (Path(data_dir, n) for n in ("val", "test") if Path(data_dir, n).is_dir()), None
    )
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
    if image_size is None:
        image_size = _natural_size(train[0][0])
    return ImageDataset(
        name=Path(data_dir).resolve().name,
        class_names=tuple(class_names),
        image_shape=(image_size, image_size, 3),
        train=_decoded(*train, image_size),
        test=_decoded(*test, image_size),
        num_train=len(train[0]),
        num_test=len(test[0]),
    )


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
        side = int(tf.reduce_min(tf.shape(_decode(tf.constant(path)))[:2]))
    return side if side <= 64 else _PHOTO_SIZE


def _decode(path: tf.Tensor) -> tf.Tensor:
    return tf.io.decode_image(
        tf.io.read_file(path), channels=3, expand_animations=False
    )


def _decoded(paths: list[str], labels: np.ndarray, image_size: int) -> tf.data.Dataset:
    def load(path: tf.Tensor) -> tf.Tensor:
        image = _decode(path)
        image.set_shape((None, None, 3))
        image = fit_image(image, image_size)
        return tf.ensure_shape(image, (image_size, image_size, 3))

    images = tf.data.Dataset.from_tensor_slices(paths).map(
        load, num_parallel_calls=tf.data.AUTOTUNE
    )
    if len(paths) * image_size**2 * 3 <= _IN_MEMORY:
        with naming_the_corrupt(paths):
            pixels = np.concatenate(list(images.batch(256).as_numpy_iterator()))
        images = tf.data.Dataset.from_tensor_slices(pixels)
    return tf.data.Dataset.zip((images, tf.data.Dataset.from_tensor_slices(labels)))


@contextlib.contextmanager
def naming_the_corrupt(paths: list[str]) -> Iterator[None]:
    """Turns TensorFlow's error on an image into one that names the file."""
    try:
        yield
    except tf.errors.InvalidArgumentError as error:
        for path in paths:
            try:
                _decode(tf.constant(path))
            except tf.errors.InvalidArgumentError as reason:
                raise ValueError(
                    f"Expected an image in every file. Received: {path}, which cannot "
                    f"be decoded ({reason.message.splitlines()[0]}). Mend or remove it."
                ) from error
        raise
