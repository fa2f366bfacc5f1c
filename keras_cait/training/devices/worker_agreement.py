"""What the processes of one training share out, agree on and end with."""

from typing import Any

from keras_cait.data.sharding import Shard
from keras_cait.training.devices.failure_detection import WATCHES
from keras_cait.training.devices.jax_strategy import filled
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
    if not _has_many_workers(strategy):
        return Shard(replicas=replicas, splits=splits)
    cluster = WATCHES[0].cluster
    count = len(cluster.addresses)
    return Shard(cluster.index, count, replicas=replicas // count, splits=splits)


def distribute(strategy: Any, batches: Any, *, size: int | None = None) -> Any:
    """Batches as `fit` and `evaluate` take them.

    Args:
        strategy: What `make_strategy` gave.
        batches: A `tf.data.Dataset` of what this worker gets, as `training_batches`
            and `evaluation_batches` give it for `shard_of(strategy)`.
        size: Images of this worker's whole batches, if the last may be smaller. JAX's
            devices need as many of each: images are added that do not count.

    Returns:
        The same for one worker on TensorFlow. With many, a dataset that is left as it
        is: Keras and TensorFlow would cut another one's batches up again, for all
        workers.

    """
    shard = shard_of(strategy)
    if not shard.splits:
        return batches if size is None else filled(batches, size)
    if shard.count == 1:
        return batches
    given = strategy.distribute_datasets_from_function(lambda context: batches)
    # Keras asks it for the steps, but it counts what each replica gets.
    given._cardinality //= shard.batches_per_step
    return given


def agree(strategy: Any, what: str, here: str, advice: str) -> None:
    """Waits for the other workers, and refuses to go on where they differ.

    Args:
        strategy: What `make_strategy` gave.
        what: What has to be the same, in words.
        here: What this worker has.
        advice: What to do where another one has something else.

    Raises:
        ValueError: On each worker, if one has something else than the first.

    """
    if not _has_many_workers(strategy):
        return
    differ = WATCHES[0].differ(here)
    if differ:
        raise ValueError(
            f"All workers must have the same {what}. Received: another one on "
            f"{', '.join(differ)} than on {WATCHES[0].cluster.addresses[0]}. {advice}"
        )


def end_together(strategy: Any) -> bool:
    """Whether a training ends here, since a signal came to a worker; asked each step.

    All workers get the same answer for the same step, so that they can keep what
    they have together.
    """
    if not _has_many_workers(strategy):
        return is_asked()
    return WATCHES[0].ends_here(is_asked())


def abandon(code: int) -> None:
    """Before this process ends with an exit code but 0: the other workers end too."""
    for watch in WATCHES:
        watch.abandon(code)


def _has_many_workers(strategy: Any) -> bool:
    return strategy is not None and bool(WATCHES)
