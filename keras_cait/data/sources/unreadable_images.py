"""Errors that name the image that cannot be read or decoded."""

import contextlib
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager

import tensorflow as tf

from keras_cait.data.images.decoding import decode
from keras_cait.data.labeled_images import LabeledImages
from keras_cait.errors import first_line
from keras_cait.typing import Tensor

Candidates = Iterable[tuple[LabeledImages, tf.data.Dataset]]
"""Images, and the keys of those that may have caused an error."""


@contextlib.contextmanager
def name_unreadable_candidates(
    candidates: Callable[[], Candidates], advice: str = "Replace or remove it."
) -> Iterator[None]:
    """Turns TensorFlow's error on an image into a `ValueError` that names the image.

    After an error the candidates are checked in their order; if all can be decoded, the
    error passes. `advice` is the last sentence: what to do.
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


def name_unreadable_images(images: LabeledImages) -> AbstractContextManager[None]:
    """As `name_unreadable_candidates`, with all of these images as candidates."""
    return name_unreadable_candidates(lambda: [(images, images.in_order())])


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
        return f"{name}, which cannot be decoded ({_short_message(error)})"
    return None


def _short_message(error: tf.errors.OpError) -> str:
    """TensorFlow's message without its place in a graph."""
    trace = r"\{\{.*?\}\}\s*|.*Iterator::\S*: |\s*\[\[.*|\s*\[Op:.*"
    line = re.sub(trace, "", first_line(error.message))
    return re.sub(r"assertion failed: \[(.*)\]", r"\1", line).strip()
