"""Distribution strategies on JAX: one device, all of a machine, or many machines."""

import contextlib
from typing import Any

import keras
import numpy as np

from keras_cait.distillation.batch_labels import PADDING_LABEL
from keras_cait.training.devices.cluster import JOINED, Cluster
from keras_cait.training.devices.failure_detection import (
    FailureDetection,
    detect_until_exit,
)
from keras_cait.training.devices.termination import sigterm_handler_kept
from keras_cait.training.devices.worker_handshake import connect_workers

DETECTIONS: list[FailureDetection] = []  # of this process: one at most


def jax_strategy(
    name: str, cluster: Cluster | None, timeout: float
) -> keras.distribution.DataParallel | None:
    """The strategy that `make_strategy` returns on JAX; Keras uses it from then on."""
    kind, _, number = name.partition(":")
    if number:
        import jax

        with contextlib.suppress(RuntimeError):  # JAX has initialized the processor
            jax.config.update("jax_num_cpu_devices", int(number))
    if cluster is not None and not JOINED:
        connections = connect_workers(cluster, timeout)
        DETECTIONS.append(detect_until_exit(cluster, connections))
        JOINED.append(cluster)
        with sigterm_handler_kept():
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


def gather(values: np.ndarray) -> np.ndarray:
    """The values of all workers, `(workers, *shape)`."""
    from jax.experimental import multihost_utils

    return multihost_utils.process_allgather(values)


def filled(batches: Any, size: int) -> Any:
    """Fills batches up to `size` images with black ones that do not count.

    Images are `(batch, height, width, channels)`, labels `(batch,)`.
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
