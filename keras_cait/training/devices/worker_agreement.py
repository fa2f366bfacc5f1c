"""Sharding among the workers of a run, their agreement, and their common end."""

import hashlib
from typing import Any

import keras
import numpy as np

from keras_cait.data.sharding import Shard
from keras_cait.training.devices import jax_strategy, tensorflow_strategy
from keras_cait.training.devices.cluster import JOINED
from keras_cait.training.devices.termination import is_asked


def is_chief(strategy: Any) -> bool:
    """Whether this process writes the files: the first worker, or the only one."""
    return shard_of(strategy).index == 0


def shard_of(strategy: Any) -> Shard:
    """The part of each batch that this process reads, for `training_batches`."""
    if strategy is None:
        return Shard()
    splits = hasattr(strategy, "num_replicas_in_sync")  # TensorFlow's
    replicas = strategy.num_replicas_in_sync if splits else strategy.num_model_replicas
    if not JOINED:
        return Shard(replicas=replicas, splits=splits)
    count = len(JOINED[0].addresses)
    return Shard(JOINED[0].index, count, replicas=replicas // count, splits=splits)


def distribute(strategy: Any, batches: Any, *, size: int | None = None) -> Any:
    """Batches of this worker's images as `fit` and `evaluate` take them.

    For several workers on TensorFlow, a dataset that Keras and TensorFlow do not shard
    a second time. `size` counts the images of complete batches, if the last may be
    smaller: JAX's devices need as many of each, so that images are added that do not
    count.
    """
    shard = shard_of(strategy)
    if not shard.splits:
        return batches if size is None else jax_strategy.filled(batches, size)
    if shard.count == 1:
        return batches
    distributed = strategy.distribute_datasets_from_function(lambda context: batches)
    # Keras takes it for the steps, but it counts what each replica gets.
    distributed._cardinality //= shard.batches_per_step
    return distributed


def agree(strategy: Any, subject: str, here: str, advice: str) -> None:
    """Raises `ValueError` on each worker, unless all have the same; waits for all.

    `here` is this worker's value of the `subject` that the error names.
    """
    if not _has_many_workers(strategy):
        return
    digest = hashlib.sha256(here.encode()).digest()
    rows = _gather(strategy, np.frombuffer(digest, np.uint8))
    addresses = JOINED[0].addresses
    different = [
        address
        for address, row in zip(addresses, rows, strict=True)
        if not np.array_equal(row, rows[0])
    ]
    if different:
        abandon(1)
        _gather(strategy, np.zeros(1))  # none exits before all have come here
        raise ValueError(
            f"All workers must have the same {subject}. Received: another one on "
            f"{', '.join(different)} than on {addresses[0]}. {advice}"
        )


def end_together(strategy: Any) -> bool:
    """Whether training ends after this step because a worker has received a signal.

    Every worker calls this after each step, and gets the same result, so that they can
    save their state together.
    """
    if not _has_many_workers(strategy):
        return is_asked()
    ends = bool(_gather(strategy, np.array([is_asked()], np.float32)).any())
    for detection in jax_strategy.DETECTIONS:
        detection.waits_for_others = ends
    return ends


def abandon(code: int) -> None:
    """Lets the other workers end too, when this one exits with a code other than 0."""
    for detection in jax_strategy.DETECTIONS:
        detection.abandon(code)


def _has_many_workers(strategy: Any) -> bool:
    return strategy is not None and bool(JOINED)


def _gather(strategy: Any, values: np.ndarray) -> np.ndarray:
    if keras.backend.backend() == "jax":
        return jax_strategy.gather(values)
    return tensorflow_strategy.gather(strategy, values)
