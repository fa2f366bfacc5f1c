"""Batches for training, the same ones in every run of a seed, and for measuring."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from keras_cait.data.labeled_images import LabeledImages, Record
from keras_cait.data.mixing import Mixing
from keras_cait.data.seeds import seed_of
from keras_cait.data.sharding import Shard
from keras_cait.typing import Tensor

View = Callable[[Any, Tensor], Tensor]
"""A record or an image, and a seed, to an image `(height, width, channels)`."""

_ORDER, _VIEWS, _MIXING = range(3)  # what a seed is for
_REPEATED_UNIT = 256  # an epoch of repeated augmentation is a multiple of it
_ALL = Shard()


def steps_per_epoch(
    number: int, batch_size: int, repeats: int = 1, accumulation_steps: int = 1
) -> int:
    """Whole batches in an epoch of `number` images.

    With repeated augmentation an epoch is as long as without, so that it sees only
    a part of the images, each several times; as in the official code its length is
    rounded down to a multiple of 256. Where several batches make one optimizer
    step, it has no batch that belongs to no step: an epoch has the same images and
    the same number of steps as with one large batch.

    Args:
        number: Images of the data set.
        batch_size: Images a batch.
        repeats: How often an image is repeated in an epoch.
        accumulation_steps: Batches that make one optimizer step.

    Raises:
        ValueError: If there are fewer images than an optimizer step takes.

    Example:
        >>> steps_per_epoch(1000, 100), steps_per_epoch(1000, 100, repeats=3)
        (10, 7)
        >>> steps_per_epoch(1000, 100, accumulation_steps=4)
        8

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
    steps = number // (batch_size * accumulation_steps)
    if steps < 1:
        raise ValueError(
            "`batch_size` times `accumulation_steps` must be at most the "
            f"{number} images of an epoch. Received: batch_size={batch_size}, "
            f"accumulation_steps={accumulation_steps}. Lower one of them."
        )
    return steps * accumulation_steps


def training_batches(
    images: LabeledImages,
    views: Sequence[View],
    batch_size: int,
    *,
    epochs: int,
    seed: int,
    repeats: int = 1,
    accumulation_steps: int = 1,
    mixing: Mixing | None = None,
    classes: int = 0,
    first_step: int = 0,
    shard: Shard = _ALL,
) -> tf.data.Dataset:
    """All batches of a run, one epoch after the other.

    Each choice follows from `seed` and its place: the order from the epoch, the
    view from the epoch and the place of the sample in it, the mixing from the step.
    What is left of an epoch after the last whole optimizer step is dropped.

    Args:
        images: What to draw from.
        views: What an image goes through, one after the other; the first takes the
            record as it is kept, the others an image.
        batch_size: Images a batch.
        epochs: Passes over the images.
        seed: Of the run.
        repeats: How often each image is drawn in a row, each time as another view.
        accumulation_steps: Batches that make one optimizer step.
        mixing: What mixes images and labels of a batch.
        classes: Number of classes, for `mixing`.
        first_step: Steps that are left out at the start, to go on with a run.
        shard: With many workers, which this is. It decodes its own images alone.

    Returns:
        `epochs * steps_per_epoch(...)` pairs of images, `(batch, height, width,
        channels)` float32 in [0, 255], and labels: `(batch,)` int64, or
        `(batch, classes)` float32 where they are mixed. With many workers those of
        each replica of this one, in turn; together they are the batches of one.

    Raises:
        ValueError: If the replicas do not divide the batch.

    """
    steps = steps_per_epoch(images.number, batch_size, repeats, accumulation_steps)
    paired = mixing is not None and shard.count > 1
    shard.check(batch_size, paired=paired)

    def view(epoch: Tensor, place: Tensor, key: Any) -> tuple[Tensor, Tensor]:
        record, label = images.read(key)
        return see(record, views, seed_of(seed, _VIEWS, epoch, place)), label

    samples = _samples(images, batch_size, steps, epochs, seed, repeats, first_step)
    if shard.count > 1:
        samples = samples.filter(
            lambda epoch, *sample: shard.holds(
                sample[0] % batch_size, batch_size, paired=paired
            )
        )
    # A new view each time, so nothing is worth keeping; the order is the seed's.
    batches = samples.map(view, num_parallel_calls=tf.data.AUTOTUNE).batch(
        batch_size // shard.count, drop_remainder=True
    )
    if mixing is not None:
        batches = batches.enumerate(first_step).map(
            lambda step, batch: mixing(*batch, seed_of(seed, _MIXING, step), classes),
            num_parallel_calls=tf.data.AUTOTUNE,
        )
    number = epochs * steps - first_step
    if shard.count > 1 and shard.parts > 1:
        each = batch_size // shard.count // shard.parts
        batches = batches.rebatch(each, drop_remainder=True)
        number *= shard.parts
    known = tf.data.experimental.assert_cardinality(number)
    return batches.apply(known).prefetch(tf.data.AUTOTUNE)


def training_keys(
    images: LabeledImages,
    batch_size: int,
    *,
    epochs: int,
    seed: int,
    repeats: int,
    accumulation_steps: int,
    first_step: int,
    number: int,
) -> tf.data.Dataset:
    """The keys of the images of `number` of the `training_batches`, one by one."""
    steps = steps_per_epoch(images.number, batch_size, repeats, accumulation_steps)
    samples = _samples(images, batch_size, steps, epochs, seed, repeats, first_step)
    return samples.take(number * batch_size).map(lambda epoch, place, key: key)


def _samples(
    images: LabeledImages,
    batch_size: int,
    steps: int,
    epochs: int,
    seed: int,
    repeats: int,
    first_step: int,
) -> tf.data.Dataset:
    """Epoch, place in it and key of every sample of a run from a step on."""
    first_epoch, first_place = divmod(first_step * batch_size, steps * batch_size)

    def samples_of(epoch: Tensor) -> tf.data.Dataset:
        # Left out before anything is read: places of the epoch, and the images that
        # these have for themselves.
        skipped = tf.where(epoch == first_epoch, first_place, 0)
        keys = images.shuffled(
            seed_of(seed, _ORDER, epoch),
            take=-(-steps * batch_size // repeats),
            skip=tf.cast(skipped // repeats, "int64"),
        )
        if repeats > 1:
            keys = keys.flat_map(
                lambda *key: tf.data.Dataset.from_tensors(_one(key)).repeat(repeats)
            ).skip(tf.cast(skipped % repeats, "int64"))
        places = keys.enumerate(tf.cast(skipped, "int64")).take(
            tf.cast(steps * batch_size - skipped, "int64")
        )
        return places.map(lambda place, *key: (epoch, place, _one(key)))

    return tf.data.Dataset.range(first_epoch, epochs).flat_map(samples_of)


def see(record: Record, views: Sequence[View], seed: Tensor) -> Tensor:
    """One image through all views, float32 in [0, 255]."""
    for number, view in enumerate(views):
        record = view(record, seed_of(seed, number))
    return tf.cast(record, "float32")


def evaluation_batches(
    images: LabeledImages,
    view: Callable[[Record], Tensor],
    batch_size: int,
    *,
    shard: Shard = _ALL,
) -> tf.data.Dataset:
    """All images in order, the last batch as small as it comes.

    Args:
        images: What to measure on.
        view: A record to an image, such as `EvaluationView`.
        batch_size: Images a batch.
        shard: With many workers, which this is.

    Returns:
        Pairs of images, `(batch, height, width, channels)` float32 in [0, 255],
        and labels, `(batch,)` int64. With many workers those of each replica of
        this one, in turn: equally many on each, the last ones perhaps empty.

    """

    def read(*key: Any) -> tuple[Tensor, Tensor]:
        record, label = images.read(_one(key))
        return tf.cast(view(record), "float32"), label

    def viewed(keys: tf.data.Dataset) -> tf.data.Dataset:
        return keys.map(read, num_parallel_calls=tf.data.AUTOTUNE)

    keys = images.in_order()
    if shard.count == 1:
        batches = viewed(keys).batch(min(batch_size, images.number))
        return batches.prefetch(tf.data.AUTOTUNE)
    shard.check(batch_size, paired=False)
    rest = images.number % batch_size
    whole = keys.take(images.number - rest).enumerate()
    whole = whole.filter(
        lambda place, *key: shard.holds(place % batch_size, batch_size, paired=False)
    )
    each = batch_size // shard.count // shard.parts
    batches = viewed(whole.map(lambda place, *key: _one(key))).batch(each)
    start = images.number - rest + shard.start(rest)
    for size in shard.part_sizes(rest) if rest else ():
        last = viewed(keys.skip(start).take(size)).batch(each)
        batches = batches.concatenate(last if size else _empty(last))
        start += size
    number = math.ceil(images.number / batch_size) * shard.parts
    known = tf.data.experimental.assert_cardinality(number)
    return batches.apply(known).prefetch(tf.data.AUTOTUNE)


def _empty(batches: tf.data.Dataset) -> tf.data.Dataset:
    """One batch of nothing."""
    nothing = tf.nest.map_structure(
        lambda spec: tf.zeros((0, *spec.shape[1:]), spec.dtype), batches.element_spec
    )
    return tf.data.Dataset.from_tensors(nothing)


def _one(key: tuple[Any, ...]) -> Any:
    """A key as it was, which tf.data has spread over the arguments."""
    return key[0] if len(key) == 1 else key
