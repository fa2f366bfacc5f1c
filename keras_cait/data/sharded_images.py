"""Labeled images in many TFRecord files, too many to hold in memory."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from keras_cait.data.image_files import printable
from keras_cait.data.labeled_images import Record
from keras_cait.data.permutation import permutation
from keras_cait.data.seeds import derive_seed
from keras_cait.typing import Tensor


class Records(NamedTuple):
    """Consecutive records of one TFRecord file."""

    path: str
    first: int
    number: int


@dataclass(frozen=True)
class ShardedImages:
    """Images that are read in short pieces of their files, in random order.

    An order has two levels: all pieces of all files are permuted, then the records of
    each block of consecutive pieces. The start of a block follows from the lengths of
    the pieces: a run resumes within an epoch by reading one block, and an epoch that
    uses a part of the images reads only that part.
    """

    shards: Sequence[Records]  # the files, or the parts of them, in order
    parse: Callable[[Tensor], tuple[Record, Tensor]]  # takes a serialized record
    block: int  # records that are shuffled at a time; at most three blocks in memory
    piece: int  # consecutive records that stay in one block

    @property
    def number(self) -> int:
        return sum(shard.number for shard in self.shards)

    def in_order(self) -> tf.data.Dataset:
        known = tf.data.experimental.assert_cardinality(self.number)
        return _read(*self._pieces()).apply(known)

    def spread(self, places: int, each: int) -> tf.data.Dataset:
        """The first `each` records of `places` pieces, spread evenly over all."""
        paths, firsts, lengths = self._pieces()
        chosen = np.unique(np.linspace(0, len(paths) - 1, places).astype("int64"))
        return _read(paths[chosen], firsts[chosen], lengths[chosen].clip(max=each))

    def shuffled(
        self, seed: Tensor, *, take: int | None = None, skip: Tensor | int = 0
    ) -> tf.data.Dataset:
        paths, firsts, lengths = self._pieces()
        order = permutation(len(paths), derive_seed(seed, 0))(tf.range(len(paths)))
        paths, firsts, lengths = (
            tf.gather(part, order) for part in (paths, firsts, lengths)
        )
        starts = tf.cumsum(lengths, exclusive=True)
        stop = tf.constant(self.number if take is None else take, "int64")
        skip = tf.cast(skip, "int64")
        first_block = skip // self.block
        begun = tf.clip_by_value(first_block * self.block - starts, 0, lengths)
        left = tf.clip_by_value(stop - starts, 0, lengths) - begun
        pieces = (paths, firsts + begun, left)
        records = _read(*(tf.boolean_mask(part, left > 0) for part in pieces))

        def shuffle(place: Tensor, block: Tensor) -> Tensor:
            size = tf.shape(block, out_type="int64")[0]
            order = permutation(size, derive_seed(seed, 1, place))(tf.range(size))
            return tf.gather(block, order)

        blocks: Any = records.batch(self.block).enumerate(first_block)
        shuffled = blocks.map(shuffle).prefetch(1).unbatch()
        return shuffled.skip(skip - first_block * self.block)

    def read(self, key: Tensor) -> tuple[Record, Tensor]:
        return self.parse(key)

    def name_of(self, key: Tensor) -> str:
        folder = os.path.dirname(self.shards[0].path)
        return f"a record of {len(key.numpy())} bytes in {printable(folder)}"

    def _pieces(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Path, first record and number of records of every piece, in order."""
        pieces = [
            (shard.path, first, min(self.piece, shard.first + shard.number - first))
            for shard in self.shards
            for first in range(shard.first, shard.first + shard.number, self.piece)
        ]
        paths, firsts, lengths = zip(*pieces, strict=True)
        return np.array(paths), np.array(firsts, "int64"), np.array(lengths, "int64")


def _read(paths: Any, firsts: Any, lengths: Any) -> tf.data.Dataset:
    """The serialized records of pieces, in order, read in parallel."""
    pieces = tf.data.Dataset.from_tensor_slices((paths, firsts, lengths))
    return pieces.map(_records, num_parallel_calls=tf.data.AUTOTUNE).unbatch()


def _records(path: Tensor, first: Tensor, length: Tensor) -> Tensor:
    """The records of one piece, `(length,)`."""
    # Without a buffer TensorFlow skips a record by reading 12 bytes, its length.
    records = tf.data.TFRecordDataset(path, buffer_size=0)
    return records.skip(first).take(length).batch(length).get_single_element()
