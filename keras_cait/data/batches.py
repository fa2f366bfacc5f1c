"""Batches for training, the same in every run of a seed, and for evaluation."""

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from keras_cait.data.labeled_images import LabeledImages, Record
from keras_cait.data.mixing import Mixing
from keras_cait.data.seeds import derive_seed
from keras_cait.data.sharding import Shard
from keras_cait.typing import Tensor

Transform = Callable[[Any, Tensor], Tensor]
"""Maps a record or an image, and a seed, to an image `(height, width, channels)`."""

_ORDER, _TRANSFORMS, _MIXING = range(3)  # purposes of derived seeds
_REPEATED_UNIT = 256  # an epoch of repeated augmentation is a multiple of it
_ONE_WORKER = Shard()


def steps_per_epoch(
    number: int, batch_size: int, repeats: int = 1, accumulation_steps: int = 1
) -> int:
    """Whole batches in an epoch of `number` images.

    With repeated augmentation (Hoffer et al., https://arxiv.org/abs/1901.09335) an
    epoch is as long as without it. It has only a part of the images, each several
    times. As in the official code its length is rounded down to a multiple of 256.
    With gradient accumulation every batch belongs to an optimizer step: an epoch has
    the same images and the same number of steps as with one large batch.
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
    transforms: Sequence[Transform],
    batch_size: int,
    *,
    epochs: int,
    seed: int,
    repeats: int = 1,
    accumulation_steps: int = 1,
    mixing: Mixing | None = None,
    classes: int = 0,
    first_step: int = 0,
    shard: Shard = _ONE_WORKER,
) -> tf.data.Dataset:
    """All batches of a run, one epoch after the other.

    Each random choice follows from `seed` and a place: the order from the epoch, the
    transforms from the epoch and the place of the sample in it, the mixing from the
    step. Images after the last whole optimizer step of an epoch are dropped. A
    resumed run leaves out the batches before `first_step`.

    The first transform takes a record, the others an image. With repeated augmentation
    an image is drawn `repeats` times in a row, each time with other transforms.

    Gives `epochs * steps_per_epoch(...)` pairs of images, `(batch, height, width,
    channels)` float32 in [0, 255], and labels: `(batch,)` int64, or `(batch, classes)`
    float32 with `mixing`. With many workers a worker decodes its own images alone, and
    gives one batch for each of its replicas in turn; the batches of all workers
    together are those of a single worker.
    """
    steps = steps_per_epoch(images.number, batch_size, repeats, accumulation_steps)
    paired = mixing is not None and shard.count > 1
    shard.check_batch_size(batch_size, paired=paired)

    def read(epoch: Tensor, place: Tensor, key: Any) -> tuple[Tensor, Tensor]:
        record, label = images.read(key)
        own_seed = derive_seed(seed, _TRANSFORMS, epoch, place)
        return apply_transforms(record, transforms, own_seed), label

    samples = _samples(images, batch_size, steps, epochs, seed, repeats, first_step)
    if shard.count > 1:
        samples = samples.filter(
            lambda epoch, *sample: shard.holds(
                sample[0] % batch_size, batch_size, paired=paired
            )
        )
    # Every epoch has new random transforms, so there is nothing to cache.
    batches = samples.map(read, num_parallel_calls=tf.data.AUTOTUNE).batch(
        batch_size // shard.count, drop_remainder=True
    )
    if mixing is not None:
        batches = batches.enumerate(first_step).map(
            lambda step, batch: mixing(
                *batch, derive_seed(seed, _MIXING, step), classes
            ),
            num_parallel_calls=tf.data.AUTOTUNE,
        )
    number = epochs * steps - first_step
    if shard.count > 1 and shard.batches_per_step > 1:
        each = batch_size // shard.count // shard.batches_per_step
        batches = batches.rebatch(each, drop_remainder=True)
        number *= shard.batches_per_step
    return _prefetched(batches, number)


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
    """Keys of the images of the next `number` batches of `training_batches`."""
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
    """Epoch, place in the epoch and key of every sample from a step on."""
    first_epoch, first_place = divmod(first_step * batch_size, steps * batch_size)

    def samples_of(epoch: Tensor) -> tf.data.Dataset:
        # Skips places of the epoch, and their images, before anything is read.
        skipped = tf.where(epoch == first_epoch, first_place, 0)
        keys = images.shuffled(
            derive_seed(seed, _ORDER, epoch),
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


def apply_transforms(
    record: Record, transforms: Sequence[Transform], seed: Tensor
) -> Tensor:
    """Applies all transforms to one image; returns float32 in [0, 255]."""
    for number, transform in enumerate(transforms):
        record = transform(record, derive_seed(seed, number))
    return tf.cast(record, "float32")


def evaluation_batches(
    images: LabeledImages,
    transform: Callable[[Record], Tensor],
    batch_size: int,
    *,
    shard: Shard = _ONE_WORKER,
) -> tf.data.Dataset:
    """All images in order; the last batch may be smaller.

    Gives pairs of images, `(batch, height, width, channels)` float32 in [0, 255], and
    labels, `(batch,)` int64. With many workers, one batch for each replica of this
    worker in turn: equally many on each replica, the last perhaps empty.
    """

    def read(*key: Any) -> tuple[Tensor, Tensor]:
        record, label = images.read(_one(key))
        return tf.cast(transform(record), "float32"), label

    def read_all(keys: tf.data.Dataset) -> tf.data.Dataset:
        return keys.map(read, num_parallel_calls=tf.data.AUTOTUNE)

    keys = images.in_order()
    if shard.count == 1:
        batches = read_all(keys).batch(min(batch_size, images.number))
        return batches.prefetch(tf.data.AUTOTUNE)
    shard.check_batch_size(batch_size, paired=False)
    rest = images.number % batch_size
    whole = keys.take(images.number - rest).enumerate()
    whole = whole.filter(
        lambda place, *key: shard.holds(place % batch_size, batch_size, paired=False)
    )
    each = batch_size // shard.count // shard.batches_per_step
    batches = read_all(whole.map(lambda place, *key: _one(key))).batch(each)
    bounds = [images.number - rest + bound for bound in shard.bounds(rest)]
    for start, stop in itertools.pairwise(bounds) if rest else ():
        last = read_all(keys.skip(start).take(stop - start)).batch(each)
        batches = batches.concatenate(last if stop > start else _empty(last))
    steps = math.ceil(images.number / batch_size)
    return _prefetched(batches, steps * shard.batches_per_step)


def _prefetched(batches: tf.data.Dataset, number: int) -> tf.data.Dataset:
    """The batches, whose number TensorFlow cannot tell, read ahead."""
    known = tf.data.experimental.assert_cardinality(number)
    return batches.apply(known).prefetch(tf.data.AUTOTUNE)


def _empty(batches: tf.data.Dataset) -> tf.data.Dataset:
    """One batch of no images."""
    nothing = tf.nest.map_structure(
        lambda spec: tf.zeros((0, *spec.shape[1:]), spec.dtype), batches.element_spec
    )
    return tf.data.Dataset.from_tensors(nothing)


def _one(key: tuple[Any, ...]) -> Any:
    """The key itself: tf.data spreads a key that is a tuple over the arguments."""
    return key[0] if len(key) == 1 else key
