"""Batches for training, the same ones in every run of a seed, and for measuring."""

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from keras_cait.data.labelled_images import LabelledImages, Record
from keras_cait.data.mixing import Mixing
from keras_cait.data.randomness import seed_of
from keras_cait.typing import Tensor

View = Callable[[Any, Tensor], Tensor]
"""A record or an image, and a seed, to an image `(height, width, channels)`."""

_ORDER, _VIEWS, _MIXING = range(3)  # what a seed is for
_REPEATED_UNIT = 256  # an epoch of repeated augmentation is a multiple of it


def steps_per_epoch(number: int, batch_size: int, repeats: int = 1) -> int:
    """Whole batches in an epoch of `number` images.

    With repeated augmentation an epoch is as long as without, so that it sees only
    a part of the images, each several times; as in the official code its length is
    rounded down to a multiple of 256.

    Raises:
        ValueError: If there are fewer images than a batch holds.

    Example:
        >>> steps_per_epoch(1000, 100), steps_per_epoch(1000, 100, repeats=3)
        (10, 7)

    Reference:
        Hoffer et al., Augment your batch, https://arxiv.org/abs/1901.09335

    """
    if repeats > 1 and number >= _REPEATED_UNIT:
        number -= number % _REPEATED_UNIT
    if not 1 <= batch_size <= number:
        raise ValueError(
            f"`batch_size` must be at least 1 and at most the {number} images of an "
            f"epoch. Received: batch_size={batch_size}"
        )
    return number // batch_size


def training_batches(
    images: LabelledImages,
    views: Sequence[View],
    batch_size: int,
    *,
    epochs: int,
    seed: int,
    repeats: int = 1,
    mixing: Mixing | None = None,
    classes: int = 0,
    first_step: int = 0,
) -> tf.data.Dataset:
    """All batches of a run, one epoch after the other.

    Each choice follows from `seed` and its place: the order from the epoch, the
    view from the epoch and the place of the sample in it, the mixing from the step.
    What is left of an epoch after the last whole batch is dropped.

    Args:
        images: What to draw from.
        views: What an image goes through, one after the other; the first takes the
            record as it is kept, the others an image.
        batch_size: Images a batch.
        epochs: Passes over the images.
        seed: Of the run.
        repeats: How often each image is drawn in a row, each time as another view.
        mixing: What mixes images and labels of a batch.
        classes: Number of classes, for `mixing`.
        first_step: Steps that are left out at the start, to go on with a run.

    Returns:
        `epochs * steps_per_epoch(...)` pairs of images, `(batch, height, width,
        channels)` float32 in [0, 255], and labels: `(batch,)` int64, or
        `(batch, classes)` float32 where they are mixed.

    """
    steps = steps_per_epoch(images.number, batch_size, repeats)

    def samples_of(epoch: Tensor) -> tf.data.Dataset:
        keys = images.shuffled(seed_of(seed, _ORDER, epoch))
        if repeats > 1:
            keys = keys.flat_map(
                lambda *key: tf.data.Dataset.from_tensors(_one(key)).repeat(repeats)
            )
        places = keys.take(steps * batch_size).enumerate()
        return places.map(lambda place, *key: (epoch, place, _one(key)))

    def view(epoch: Tensor, place: Tensor, key: Any) -> tuple[Tensor, Tensor]:
        record, label = images.read(key)
        return see(record, views, seed_of(seed, _VIEWS, epoch, place)), label

    samples = tf.data.Dataset.range(epochs).flat_map(samples_of)
    samples = samples.skip(first_step * batch_size)
    # A new view each time, so nothing is worth keeping; the order is the seed's.
    batches = samples.map(view, num_parallel_calls=tf.data.AUTOTUNE).batch(
        batch_size, drop_remainder=True
    )
    if mixing is not None:
        batches = batches.enumerate(first_step).map(
            lambda step, batch: mixing(*batch, seed_of(seed, _MIXING, step), classes),
            num_parallel_calls=tf.data.AUTOTUNE,
        )
    known = tf.data.experimental.assert_cardinality(epochs * steps - first_step)
    return batches.apply(known).prefetch(tf.data.AUTOTUNE)


def see(record: Record, views: Sequence[View], seed: Tensor) -> Tensor:
    """One image through all views, float32 in [0, 255]."""
    for number, view in enumerate(views):
        record = view(record, seed_of(seed, number))
    return tf.cast(record, "float32")


def evaluation_batches(
    images: LabelledImages, view: Callable[[Record], Tensor], batch_size: int
) -> tf.data.Dataset:
    """All images in order, the last batch as small as it comes.

    Args:
        images: What to measure on.
        view: A record to an image, such as `EvaluationView`.
        batch_size: Images a batch.

    Returns:
        Pairs of images, `(batch, height, width, channels)` float32 in [0, 255],
        and labels, `(batch,)` int64.

    """

    def read(*key: Any) -> tuple[Tensor, Tensor]:
        record, label = images.read(_one(key))
        return tf.cast(view(record), "float32"), label

    viewed = images.in_order().map(read, num_parallel_calls=tf.data.AUTOTUNE)
    return viewed.batch(min(batch_size, images.number)).prefetch(tf.data.AUTOTUNE)


def _one(key: tuple[Any, ...]) -> Any:
    """A key as it was, which tf.data has spread over the arguments."""
    return key[0] if len(key) == 1 else key
