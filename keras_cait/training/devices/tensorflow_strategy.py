"""Distribution strategies on TensorFlow: one device, one machine, or many machines."""

import contextlib
import functools
import re
import sys
from types import TracebackType
from typing import Any

import numpy as np

from keras_cait.training.devices.cluster import JOINED, Cluster
from keras_cait.training.devices.failure_detection import exit_without
from keras_cait.training.devices.termination import sigterm_handler_kept
from keras_cait.training.devices.worker_handshake import connect_workers


def tensorflow_strategy(name: str, cluster: Cluster | None, timeout: float) -> Any:
    """The strategy that `make_strategy` returns on TensorFlow."""
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
    import tensorflow as tf
    from tensorflow.python.eager import context

    if context.context()._initialized:
        raise RuntimeError(
            "A strategy of many workers must be made before TensorFlow computes "
            "anything. Received: TensorFlow has started. Call make_strategy first."
        )
    for connection in connect_workers(cluster, timeout).values():
        connection.close()
    with sigterm_handler_kept():
        strategy = tf.distribute.MultiWorkerMirroredStrategy()
    _report_lost_workers(cluster, strategy)
    JOINED.append(cluster)
    return strategy


def _report_lost_workers(cluster: Cluster, strategy: Any) -> None:
    """Prints one line for TensorFlow's error that a worker is lost, and exits."""
    print_error = sys.excepthook
    spec = strategy.cluster_resolver.cluster_spec()

    def on_error(
        kind: type[BaseException],
        error: BaseException,
        traceback: TracebackType | None,
    ) -> None:
        _, aborted, cause = str(error).partition("Collective ops is aborted by: ")
        if aborted:
            task = re.search(r"/job:(\w+)/(?:replica:0/)?task:(\d+)", cause)
            # The first worker holds the coordination service, which has no name.
            lost = cluster.addresses[0]
            if task is not None:
                lost = spec.task_address(task[1], int(task[2]))
            exit_without(
                cluster,
                f"worker {cluster.addresses.index(lost)}, {lost}, is gone or does not "
                "answer",
                f" TensorFlow reports: {' '.join(cause.split())}",
            )
        print_error(kind, error, traceback)

    sys.excepthook = on_error


def gather(strategy: Any, values: np.ndarray) -> np.ndarray:
    """The values of all workers, `(workers, *shape)`, float32."""
    cluster = JOINED[0]
    count = len(cluster.addresses)
    rows = np.zeros((count, *values.shape), np.float32)
    rows[cluster.index] = values / (strategy.num_replicas_in_sync // count)
    return _sum_over_replicas(strategy)(rows).numpy()


@functools.cache
def _sum_over_replicas(strategy: Any) -> Any:
    import tensorflow as tf

    @tf.function(autograph=False)
    def total(values: Any) -> Any:
        of_replicas = strategy.run(tf.identity, (values,))
        return strategy.reduce(tf.distribute.ReduceOp.SUM, of_replicas, axis=None)

    return total


@functools.cache
def _mirrored(devices: tuple[str, ...] | None) -> Any:
    """One strategy a process for these devices.

    Two strategies would number their collective operations separately, and TensorFlow
    confuses operations of the same number on the same devices.
    """
    import tensorflow as tf

    return tf.distribute.MirroredStrategy(devices)


def _devices(name: str, number: int) -> list[str]:
    """GPUs, or parts of the processor if there are none."""
    import tensorflow as tf

    kind = "GPU" if tf.config.list_physical_devices("GPU") else "CPU"
    physical = tf.config.list_physical_devices(kind)[0]
    split = tf.config.get_logical_device_configuration(physical)
    if kind == "CPU" and split is None:
        parts = [tf.config.LogicalDeviceConfiguration()] * number
        with contextlib.suppress(RuntimeError):  # TensorFlow has computed already
            tf.config.set_logical_device_configuration(physical, parts)
    devices = [device.name for device in tf.config.list_logical_devices(kind)]
    if len(devices) < number:
        raise ValueError(
            f"TensorFlow has {len(devices)} {kind} device(s), and splits a processor "
            f"only before it computes. Received: strategy={name!r}"
        )
    return devices[:number]
