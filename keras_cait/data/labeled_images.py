"""Labeled images, read in an order that follows from a seed."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import tensorflow as tf

from keras_cait.data.image_files import printable
from keras_cait.data.permutation import permutation
from keras_cait.data.seeds import derive_seed
from keras_cait.typing import Tensor

Record = Any
"""A stored image: an encoded string, or uint8 `(height, width, channels)`."""


class LabeledImages(Protocol):
    """`number` images with labels.

    `in_order` and `shuffled` give keys; `read` turns a key into a record and its label,
    int64. `shuffled` draws `take` of the images without replacement, all of them by
    default, and leaves out the first `skip` of those without reading them. `name_of` is
    the name of a key's image in errors.
    """

    @property
    def number(self) -> int: ...

    def in_order(self) -> tf.data.Dataset: ...

    def shuffled(
        self, seed: Tensor, *, take: int | None = None, skip: Tensor | int = 0
    ) -> tf.data.Dataset: ...

    def read(self, key: Any) -> tuple[Record, Tensor]: ...

    def name_of(self, key: Any) -> str: ...


@dataclass(frozen=True)
class IndexedImages:
    """Images that can be read in any order, by their index."""

    number: int
    reader: Callable[[Tensor], tuple[Record, Tensor]]  # takes an index, int64
    paths: Sequence[str] | None = None  # if each image is a file

    def in_order(self) -> tf.data.Dataset:
        return tf.data.Dataset.range(self.number)

    def shuffled(
        self, seed: Tensor, *, take: int | None = None, skip: Tensor | int = 0
    ) -> tf.data.Dataset:
        places = tf.data.Dataset.range(skip, self.number if take is None else take)
        return places.map(permutation(self.number, seed))

    def read(self, key: Tensor) -> tuple[Record, Tensor]:
        return self.reader(key)

    def name_of(self, key: Tensor) -> str:
        if self.paths is None:
            return f"image {int(key)} of {self.number}"
        return printable(self.paths[int(key)])


def images_in_memory(records: Any, labels: Any) -> IndexedImages:
    """Images in memory: uint8 (number, height, width, channels), or encoded bytes."""
    held = (tf.constant(records), tf.constant(labels, "int64"))
    return IndexedImages(
        len(labels),
        lambda index: (tf.gather(held[0], index), tf.gather(held[1], index)),
    )


def images_in_files(paths: Sequence[str], labels: Any) -> IndexedImages:
    """Images read from their files when they are used; paths may be any bytes."""
    listed = images_in_memory([os.fsencode(path) for path in paths], labels)

    def read(index: Tensor) -> tuple[Record, Tensor]:
        path, label = listed.read(index)
        return tf.io.read_file(path), label

    return IndexedImages(len(paths), read, paths)


class RandomSubset:
    """At most `number` of some images, drawn without replacement, in random order."""

    def __init__(self, images: LabeledImages, number: int, seed: int) -> None:
        self.number = min(number, images.number)
        self.read = images.read
        self._images, self._seed = images, derive_seed(seed, 0)

    def in_order(self) -> tf.data.Dataset:
        return self._images.shuffled(self._seed, take=self.number)
