"""Where a run computes: one device, or all that this machine has."""

import contextlib
import functools
from typing import Any

import keras


def make_strategy(name: str) -> Any:
    """A distribution strategy by name, or None for one device.

    Args:
        name: "single"; "mirrored", all GPUs of this machine (or its CPU);
            "mirrored:N", N logical CPU devices, which is for trying out; or
            "auto", mirrored where there are two GPUs or more.

    Returns:
        A `tf.distribute.MirroredStrategy`, or None.

    Raises:
        ValueError: If there is no such strategy, on this backend or at all.

    """
    kind, _, number = name.partition(":")
    if kind not in ("auto", "single", "mirrored") or (number and kind != "mirrored"):
        raise ValueError(
            '`strategy` must be "auto", "single", "mirrored" or "mirrored:N". '
            f"Received: strategy={name!r}"
        )
    if keras.backend.backend() != "tensorflow":
        if kind == "mirrored":
            raise ValueError(
                "`strategy` must be auto or single unless Keras runs on TensorFlow. "
                f"Received: strategy={name!r} on {keras.backend.backend()}"
            )
        return None
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if number:
        return _mirrored(tuple(_logical_cpus(name, number)))
    if kind == "mirrored" or (kind == "auto" and len(gpus) > 1):
        return _mirrored(None)
    return None


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


def check_batch_size(batch_size: int, strategy: Any) -> None:
    """Refuses a batch that the replicas cannot share evenly.

    Args:
        batch_size: Images a step, of all replicas together.
        strategy: From `make_strategy`.

    Raises:
        ValueError: If it is not a multiple of the number of replicas.

    Example:
        >>> check_batch_size(7, None)  # one device takes any

    """
    replicas = 1 if strategy is None else strategy.num_replicas_in_sync
    if batch_size % replicas:
        below = batch_size - batch_size % replicas
        sizes = [str(size) for size in (below, below + replicas) if size]
        raise ValueError(
            f"`batch_size` must be a multiple of the {replicas} replicas. Received: "
            f"{batch_size} images a step. Near it are {' and '.join(sizes)}."
        )
