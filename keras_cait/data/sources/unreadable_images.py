"""Images that cannot be read or decoded, by name."""

import contextlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager

import tensorflow as tf

from keras_cait.data.images.decoding import decode
from keras_cait.data.labeled_images import LabeledImages, images_in_files
from keras_cait.errors import first_line
from keras_cait.typing import Tensor

Candidates = Iterable[tuple[LabeledImages, tf.data.Dataset]]
"""Images and those of their keys that may be to blame."""


@contextlib.contextmanager
def naming_unreadable(
    candidates: Callable[[], Candidates], advice: str = "Replace or remove it."
) -> Iterator[None]:
    """Turns TensorFlow's error on an image into one that names it.

    Args:
        candidates: Gives the images to look through after an error, in this order.
        advice: What to do then.

    Raises:
        ValueError: If one of them cannot be read or decoded. Other errors pass.

    """
    try:
        yield
    except tf.errors.OpError as error:
        for images, keys in candidates():
            found = first_unreadable(images, keys)
            if found is not None:
                raise ValueError(
                    f"Expected an image in every file. Received: {found}. {advice}"
                ) from error
        raise


def naming_the_corrupt(paths: Sequence[str]) -> AbstractContextManager[None]:
    """As `naming_unreadable`, of files."""

    def candidates() -> Candidates:
        files = images_in_files(paths, [0] * len(paths))
        return [(files, files.in_order())]

    return naming_unreadable(candidates)


def first_unreadable(images: LabeledImages, keys: tf.data.Dataset) -> str | None:
    """Name of the first image that cannot be read or decoded, and the reason."""

    def check(key: Tensor) -> Tensor:
        return tf.size(decode(images.read(key)[0]))

    readable = 0
    try:
        for _ in keys.map(check, num_parallel_calls=tf.data.AUTOTUNE):
            readable += 1
    except tf.errors.OpError as error:
        try:
            name = images.name_of(next(iter(keys.skip(readable))))
        except tf.errors.OpError:  # there is no such key
            name = f"image {readable}"
        return f"{name}, which cannot be decoded ({reason_of(error)})"
    return None


def reason_of(error: tf.errors.OpError) -> str:
    """What TensorFlow says, without where in a graph it was."""
    trace = r"\{\{.*?\}\}\s*|.*Iterator::\S*: |\s*\[\[.*|\s*\[Op:.*"
    line = re.sub(trace, "", first_line(error.message))
    return re.sub(r"assertion failed: \[(.*)\]", r"\1", line).strip()
