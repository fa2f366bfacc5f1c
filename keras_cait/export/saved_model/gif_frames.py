"""One frame of a GIF, without what comes behind it."""

from typing import Any

import tensorflow as tf

from keras_cait.typing import Tensor

_IMAGE, _EXTENSION = 0x2C, 0x21  # what a block of a GIF begins with
_BLOCK, _SKIPPED, _WANTED, _DONE = range(4)  # where in a GIF one is
_PARTS = 4096  # of a block that are passed over in one step
_MOST_STEPS = 1000  # of these, a tenth of a second; true files take a few


def first_frame(file: Tensor) -> Tensor:
    """A GIF without its other frames.

    The decoder would unpack all of them, of which a small file can hold thousands,
    each as large as it pleases. The place of the frame on its screen is left out
    with them, for the decoder cuts off what it moves.

    Args:
        file: A GIF, a scalar string.

    Returns:
        A GIF of one frame, a scalar string, that ends with its descriptor and data.

    Raises:
        tf.errors.InvalidArgumentError: If it ends before the frame does.

    """
    codes = tf.reshape(tf.io.decode_raw(file, "uint8"), (-1,))

    def step(place: Tensor, phase: Tensor, frame: Tensor, steps: Tensor) -> Any:
        code = tf.cast(codes[place], "int32")  # out of bounds is an error
        inside = phase != _BLOCK  # a row of parts, each with its length in front
        found = ~inside & (code == _IMAGE)
        known = inside | found | (code == _EXTENSION)
        tf.debugging.Assert(known & (steps < _MOST_STEPS), ["no GIF"])
        ended = inside & (code == 0)
        # After a frame's descriptor come colors of its own, and a byte.
        table = _table_size(codes[tf.where(found, place + 9, place)])
        head = tf.where(found, 11 + table, 2)
        step = tf.where(inside, (1 + code) * _equal_parts(codes, place), head)
        entered = tf.where(found, _WANTED, _SKIPPED)
        left = tf.where(phase == _WANTED, _DONE, _BLOCK)
        following = tf.where(ended, left, tf.where(inside, phase, entered))
        return place + step, following, tf.where(found, place, frame), steps + 1

    end, _, frame, _ = tf.while_loop(
        lambda place, phase, frame, steps: phase != _DONE,
        step,
        (13 + _table_size(codes[10]), *map(tf.constant, (_BLOCK, 0, 0))),
        parallel_iterations=1,
    )
    before = tf.strings.substr(file, 0, frame + 1)
    after = tf.strings.substr(file, frame + 5, end - frame - 5)
    return tf.strings.join([_of_size(before, after), b"\0\0\0\0", after, b"\x3b"])


def _equal_parts(codes: Tensor, place: Tensor) -> Tensor:
    """How many parts from here on are of the same length, which nearly all are."""
    length = 1 + tf.cast(codes[place], "int32")
    end = tf.minimum(tf.size(codes), place + _PARTS * length)
    parts = tf.gather(codes, tf.range(place, end, length))
    other = parts != codes[place]
    return tf.where(
        tf.reduce_any(other), tf.argmax(other, output_type="int32"), tf.size(parts)
    )


def _of_size(before: Tensor, after: Tensor) -> Tensor:
    """The part before the frame, its screen's size now that of the frame."""
    return tf.strings.join(
        [
            tf.strings.substr(before, 0, 6),
            tf.strings.substr(after, 0, 4),
            tf.strings.substr(before, 10, tf.strings.length(before) - 10),
        ]
    )


def _table_size(flags: Tensor) -> Tensor:
    """Bytes of a table of colors, 0 without one."""
    flags = tf.cast(flags, "int32")
    colors = tf.bitwise.left_shift(2, tf.bitwise.bitwise_and(flags, 7))
    return tf.where(flags >= 128, 3 * colors, 0)
