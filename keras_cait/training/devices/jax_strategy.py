"""Where a run computes on JAX: one device, all of a machine, or many machines."""

import contextlib
from typing import Any

import keras

from keras_cait.distillation.batch_labels import PADDING_LABEL
from keras_cait.training.devices.cluster import Cluster
from keras_cait.training.devices.failure_detection import WATCHES, Watch
from keras_cait.training.devices.termination import sigterm_kept
from keras_cait.training.devices.worker_connections import meet


def jax_strategy(
    name: str, cluster: Cluster | None, timeout: float
) -> keras.distribution.DataParallel | None:
    """What `make_strategy` gives on JAX; Keras follows it from then on.

    Args:
        name: As it was given.
        cluster: The workers, if they are many.
        timeout: Seconds to wait for them.

    Raises:
        ValueError: If there are not so many devices.
        RuntimeError: If JAX has computed before its workers are known.

    """
    kind, _, number = name.partition(":")
    if number:
        _make_cpus(int(number))
    if cluster is not None and not WATCHES:
        WATCHES.append(Watch(cluster, meet(cluster, timeout)))
        with sigterm_kept():
            keras.distribution.initialize(
                cluster.addresses[0], len(cluster.addresses), cluster.index
            )
    devices = keras.distribution.list_devices()
    if number:
        if int(number) > len(devices):
            raise ValueError(
                f"JAX has {len(devices)} device(s), and splits a processor only before "
                f"it computes. Received: strategy={name!r}"
            )
        devices = devices[: int(number)]
    chosen = None
    if kind in ("mirrored", "multiworker") or (kind == "auto" and len(devices) > 1):
        chosen = keras.distribution.DataParallel(
            devices=devices, auto_shard_dataset=False
        )
    keras.distribution.set_distribution(chosen)
    return chosen


def _make_cpus(number: int) -> None:
    """Splits the processor into devices, if JAX has not looked at it yet."""
    import jax

    with contextlib.suppress(RuntimeError):
        jax.config.update("jax_num_cpu_devices", number)


def filled(batches: Any, size: int) -> Any:
    """The same batches, each with `size` images: those that lack are black.

    Args:
        batches: A `tf.data.Dataset` of images, `(batch, height, width, channels)`, and
            labels, `(batch,)`.
        size: Images that each is to have.

    """
    import tensorflow as tf

    def fill(images: Any, labels: Any) -> tuple[Any, Any]:
        missing = [[0, size - tf.shape(labels)[0]]]
        images = tf.pad(images, missing + [[0, 0]] * (len(images.shape) - 1))
        labels = tf.pad(labels, missing, constant_values=PADDING_LABEL)
        images.set_shape((size, *images.shape[1:]))
        labels.set_shape((size,))
        return images, labels

    return batches.map(fill).prefetch(tf.data.AUTOTUNE)
