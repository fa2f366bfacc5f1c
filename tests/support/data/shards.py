"""TFRecord files of numbered images."""

import numpy as np
import tensorflow as tf

from keras_cait.data.sharded_images import Records, ShardedImages

SHAPE = (4, 4, 3)
_SIZE = int(np.prod(SHAPE))


def write_shards(folder, lengths):
    """A file a length; images of zeros, and their number as label."""
    folder.mkdir(exist_ok=True)
    shards, number = [], 0
    for index, length in enumerate(lengths):
        path = folder / f"{index:05}.tfrecord"
        with tf.io.TFRecordWriter(str(path)) as writer:
            for label in range(number, number + length):
                pixels = np.zeros(_SIZE, "uint8").tobytes()
                writer.write(pixels + np.int64(label).tobytes())
        shards.append(Records(str(path), 0, length))
        number += length
    return shards


def parse(record):
    pixels = tf.io.decode_raw(tf.strings.substr(record, 0, _SIZE), "uint8")
    label = tf.io.decode_raw(tf.strings.substr(record, _SIZE, 8), "int64")[0]
    return tf.reshape(pixels, SHAPE), label


def label_of(record):
    """The label of a record's bytes."""
    return int.from_bytes(record[_SIZE:], "little")


def sharded(folder, lengths, block=20, piece=3):
    return ShardedImages(write_shards(folder, lengths), parse, block, piece)
