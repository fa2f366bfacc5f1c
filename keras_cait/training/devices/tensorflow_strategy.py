"""Where a run computes on TensorFlow: a device, all of a machine, or many machines."""

import contextlib
import functools
from typing import Any

from keras_cait.training.devices.cluster import Cluster
from keras_cait.training.devices.failure_detection import WATCHES, Watch
from keras_cait.training.devices.termination import sigterm_kept
from keras_cait.training.devices.worker_connections import meet


def tensorflow_strategy(name: str, cluster: Cluster | None, timeout: float) -> Any:
    """What `make_strategy` gives on TensorFlow.

    Args:
        name: As it was given.
        cluster: The workers, if they are many.
        timeout: Seconds to wait for them.

    Raises:
        ValueError: If there are not so many devices.
        RuntimeError: If TensorFlow has computed before its workers are known.

    """
    if cluster is not None:
        return _multi_worker(cluster, timeout)
    import tensorflow as tf

    kind, _, number = name.partition(":")
    if number:
        return _mirrored(tuple(_devices(name, int(number))))
    gpus = tf.config.list_physical_devices("GPU")
    if kind == "mirrored" or (kind == "auto" and len(gpus) > 1):
        return _mirrored(None)
    return None


@functools.cache
def _multi_worker(cluster: Cluster, timeout: float) -> Any:
    """The strategy for these workers, one in a process as below."""
    import tensorflow as tf
    from tensorflow.python.eager import context

    if context.context()._initialized:
        raise RuntimeError(
            "A strategy of many workers must be made before TensorFlow computes "
            "anything. Received: TensorFlow has started. Call make_strategy first."
        )
    WATCHES.append(Watch(cluster, meet(cluster, timeout)))
    with sigterm_kept():
        return tf.distribute.MultiWorkerMirroredStrategy()


@functools.cache
def _mirrored(devices: tuple[str, ...] | None) -> Any:
    """The strategy for these devices, one in a process.

    Two of them would count their collective operations separately, and TensorFlow
    takes those of equal number on equal devices for the same one.
    """
    import tensorflow as tf

    return tf.distribute.MirroredStrategy(devices)


def _devices(name: str, number: int) -> list[str]:
    """GPUs; or parts of the processor, where there are none."""
    import tensorflow as tf

    kind = "GPU" if tf.config.list_physical_devices("GPU") else "CPU"
    physical = tf.config.list_physical_devices(kind)[0]
    split = tf.config.get_logical_device_configuration(physical)
    if kind == "CPU" and split is None:
        parts = [tf.config.LogicalDeviceConfiguration()] * number
        with contextlib.suppress(RuntimeError):  # it computes already
            tf.config.set_logical_device_configuration(physical, parts)
    devices = [device.name for device in tf.config.list_logical_devices(kind)]
    if len(devices) < number:
        raise ValueError(
            f"TensorFlow has {len(devices)} {kind} device(s), and splits a processor "
            f"only before it computes. Received: strategy={name!r}"
        )
    return devices[:number]
