"""Batches for training, shuffled and augmented, and for measuring."""

import tensorflow as tf

from keras_cait.data.augmentation import Augmentation
from keras_cait.data.datasets import ImageDataset

_SHUFFLE_BUFFER = 2**30  # bytes of images from which the next one is drawn


def training_batches(
    data: ImageDataset, batch_size: int, augmentation: Augmentation, seed: int
) -> tf.data.Dataset:
    """Batches of one epoch, in a new order and with new views each epoch.

    The order and every view follow from `seed`. What is left of an epoch after
    the last whole batch is dropped; the next epoch draws anew.

    Returns:
        Pairs of images, `(batch, height, width, channels)` float32 in [0, 255],
        and labels, `(batch,)`.

    """
    height, width, channels = data.image_shape
    buffer = min(data.num_train, max(1, _SHUFFLE_BUFFER // (height * width * channels)))
    batches = data.train.shuffle(buffer, seed=seed).batch(
        min(batch_size, data.num_train), drop_remainder=True
    )
    seeds = tf.data.Dataset.random(seed=seed, rerandomize_each_iteration=True).batch(2)

    def augment(
        batch: tuple[tf.Tensor, tf.Tensor], seed: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        images, labels = batch
        return augmentation(tf.cast(images, "float32"), seed), labels

    augmented = tf.data.Dataset.zip((batches, seeds)).map(
        augment, num_parallel_calls=tf.data.AUTOTUNE
    )
    return augmented.prefetch(tf.data.AUTOTUNE)


def evaluation_batches(data: ImageDataset, batch_size: int) -> tf.data.Dataset:
    """All test images in order, the last batch as small as it comes."""
    batches = data.test.batch(min(batch_size, data.num_test))
    batches = batches.map(lambda images, labels: (tf.cast(images, "float32"), labels))
    return batches.prefetch(tf.data.AUTOTUNE)
