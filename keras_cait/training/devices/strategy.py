"""Distribution strategies by name: one device, one machine, or many machines."""

import contextlib
import os
import re
from typing import Any

import keras

from keras_cait.training.devices.cluster import Cluster, read_cluster
from keras_cait.training.devices.jax_strategy import jax_strategy
from keras_cait.training.devices.tensorflow_strategy import tensorflow_strategy

_NAMES = r"auto|single|multiworker|mirrored(:[1-9]\d*)?"


def make_strategy(name: str, *, timeout: float = 300.0) -> Any:
    """A distribution strategy by name, or None for one device.

    - "single";
    - "mirrored": all GPUs of this machine, or its CPU;
    - "mirrored:N": the first N GPUs, or N parts of the processor if there are none,
      for tests;
    - "multiworker": all GPUs of all workers that TF_CONFIG names;
    - "auto": multiworker if it names two or more, mirrored on two GPUs or more.

    Several workers need their strategy before anything is computed; they prove to each
    other that they have the same KERAS_CAIT_SECRET. Each waits `timeout` seconds for
    the others. When one is lost later, the others exit with code 75 and one line. On
    JAX the strategy is a `keras.distribution.DataParallel`, which Keras uses from then
    on; on TensorFlow it is one of `tf.distribute`.
    """
    if not re.fullmatch(_NAMES, name):
        raise ValueError(
            '`strategy` must be "auto", "single", "mirrored", "mirrored:N" with 1 '
            f'device or more, or "multiworker". Received: strategy={name!r}'
        )
    cluster = _cluster(name)
    backend = keras.backend.backend()
    if backend == "tensorflow":
        return tensorflow_strategy(name, cluster, timeout)
    if backend == "jax":
        return jax_strategy(name, cluster, timeout)
    if cluster is not None or name.startswith("mirrored"):
        raise ValueError(
            "`strategy` must be single, or auto without TF_CONFIG, unless Keras runs "
            f"on TensorFlow or JAX. Received: strategy={name!r} on {backend}"
        )
    return None


def _cluster(name: str) -> Cluster | None:
    """The workers in TF_CONFIG, if this strategy is for several."""
    if name not in ("auto", "multiworker"):
        return None
    secret = os.environ.get("KERAS_CAIT_SECRET", "")
    cluster = read_cluster(os.environ.get("TF_CONFIG"), secret)
    if cluster is not None and len(cluster.addresses) > 1:
        return cluster
    if name == "multiworker":
        found = cluster.addresses if cluster else "no TF_CONFIG"
        raise ValueError(
            "TF_CONFIG must name two workers or more for strategy='multiworker'. "
            f"Received: {found}"
        )
    return None


def scope_of(strategy: Any) -> contextlib.AbstractContextManager:
    """The scope to make models in; has no effect without a strategy."""
    return strategy.scope() if strategy is not None else contextlib.nullcontext()
