"""Where a run computes: one device, all that a machine has, or many machines."""

import contextlib
import functools
import os
from typing import Any

import keras

from keras_cait.data.shard import Shard
from keras_cait.training.cluster import Cluster, read_cluster
from keras_cait.training.meeting import meet
from keras_cait.training.watch import Watch

_WATCHES: list[Watch] = []  # of this process: one at most


def make_strategy(name: str, *, timeout: float = 300.0) -> Any:
    """A distribution strategy by name, or None for one device.

    Args:
        name: "single"; "mirrored", all GPUs of this machine (or its CPU);
            "mirrored:N", N logical CPU devices, which is for trying out;
            "multiworker", all GPUs of all workers that TF_CONFIG names; or "auto",
            multiworker where it names two or more, mirrored where there are two
            GPUs or more. With many workers, before anything is computed.
        timeout: Seconds to wait for the other workers.

    Returns:
        A `tf.distribute.MultiWorkerMirroredStrategy` or `MirroredStrategy`, or None.
        When another worker dies, this process ends; see `Watch`.

    Raises:
        ValueError: If there is no such strategy, on this backend or at all, or
            TF_CONFIG is wrong.
        TimeoutError: If a worker is not there in time.

    """
    kind, _, number = name.partition(":")
    if kind not in _KINDS or (number and kind != "mirrored"):
        raise ValueError(
            '`strategy` must be "auto", "single", "mirrored", "mirrored:N" or '
            f'"multiworker". Received: strategy={name!r}'
        )
    cluster = _cluster(name)
    if keras.backend.backend() != "tensorflow":
        if cluster or kind == "mirrored":
            raise ValueError(
                "`strategy` must be single, or auto without TF_CONFIG, unless Keras "
                f"runs on TensorFlow. Received: strategy={name!r} on "
                f"{keras.backend.backend()}"
            )
        return None
    if cluster is not None:
        return _multi_worker(cluster, timeout)
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if number:
        return _mirrored(tuple(_logical_cpus(name, number)))
    if kind == "mirrored" or (kind == "auto" and len(gpus) > 1):
        return _mirrored(None)
    return None


_KINDS = ("auto", "single", "mirrored", "multiworker")


def is_chief(strategy: Any) -> bool:
    """Whether this process writes the files: the first worker, or the only one."""
    return shard_of(strategy).index == 0


def shard_of(strategy: Any) -> Shard:
    """The part of each batch that this process reads, for `training_batches`."""
    replicas = strategy.num_replicas_in_sync if strategy is not None else 1
    if not _has_many_workers(strategy):
        return Shard(replicas=replicas)
    cluster = _WATCHES[0].cluster
    count = len(cluster.addresses)
    return Shard(cluster.index, count, replicas=replicas // count)


def distribute(strategy: Any, batches: Any) -> Any:
    """Batches as `fit` and `evaluate` take them.

    Args:
        strategy: What `make_strategy` gave.
        batches: A `tf.data.Dataset`: with many workers of what each replica of this
            one gets, in turn, as `training_batches` and `evaluation_batches` give
            them for `shard_of(strategy)`.

    Returns:
        The same for one worker. With many, a dataset that is left as it is: Keras
        and TensorFlow would cut another one's batches up again, for all workers.

    """
    if not _has_many_workers(strategy):
        return batches
    given = strategy.distribute_datasets_from_function(lambda context: batches)
    # Keras asks it for the steps, but it counts what each replica gets.
    given._cardinality //= shard_of(strategy).replicas
    return given


def abandon() -> None:
    """Before this process ends with an exit code but 0: the other workers end too."""
    for watch in _WATCHES:
        watch.abandon()


def _has_many_workers(strategy: Any) -> bool:
    return strategy is not None and strategy.extended._in_multi_worker_mode()


def _cluster(name: str) -> Cluster | None:
    """The workers that a strategy of this name is for, if they are many."""
    if name not in ("auto", "multiworker"):
        return None
    cluster = read_cluster(os.environ.get("TF_CONFIG"))
    if cluster is not None and len(cluster.addresses) > 1:
        return cluster
    if name == "multiworker":
        found = cluster.addresses if cluster else "no TF_CONFIG"
        raise ValueError(
            "TF_CONFIG must name two workers or more for strategy='multiworker'. "
            f"Received: {found}"
        )
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
    _WATCHES.append(Watch(cluster, meet(cluster, timeout)))
    return tf.distribute.MultiWorkerMirroredStrategy()


@functools.cache
def _mirrored(devices: tuple[str, ...] | None) -> Any:
    """The strategy for these devices, one in a process.

    Two of them would count their collective operations separately, and TensorFlow
    takes those of equal number on equal devices for the same one.
    """
    import tensorflow as tf

    return tf.distribute.MirroredStrategy(devices)


def _logical_cpus(name: str, number: str) -> list[str]:
    import tensorflow as tf

    if not number.isdecimal() or int(number) < 1:
        raise ValueError(
            "`strategy` must end in a number of devices, 1 or more. "
            f"Received: strategy={name!r}"
        )
    cpu = tf.config.list_physical_devices("CPU")[0]
    if tf.config.get_logical_device_configuration(cpu) is None:
        devices = [tf.config.LogicalDeviceConfiguration()] * int(number)
        tf.config.set_logical_device_configuration(cpu, devices)
    devices = [device.name for device in tf.config.list_logical_devices("CPU")]
    if len(devices) < int(number):
        raise ValueError(
            f"TensorFlow has started with {len(devices)} logical CPU device(s). "
            f"Received: strategy={name!r}. Choose it before anything is computed."
        )
    return devices[: int(number)]


def scope_of(strategy: Any) -> contextlib.AbstractContextManager:
    """The strategy's scope, to make models in; nothing without one."""
    return strategy.scope() if strategy is not None else contextlib.nullcontext()
