"""Batch normalisation by the batch of all replicas, while a model trains."""

import contextlib
from collections.abc import Iterator

import keras

from keras_cait.data.shard import Shard


def norms_to_share(model: keras.Model, shard: Shard) -> list[keras.Layer]:
    """The layers whose statistics would depend on the number of replicas.

    On TensorFlow each replica normalises by its own part of the batch, and keeps
    averages of its own, of which only the first replica's are saved. JAX sees the
    whole batch.
    """
    if not shard.splits or shard.count * shard.replicas == 1:
        return []
    return [
        layer
        for layer in model._flatten_layers()
        if isinstance(layer, keras.layers.BatchNormalization) and not layer.synchronized
    ]


@contextlib.contextmanager
def shared_statistics(norms: list[keras.Layer]) -> Iterator[None]:
    """Inside, they take the statistics of the whole batch.

    They are not saved as such layers: other backends refuse those.
    """
    for layer in norms:
        layer.synchronized = True
    try:
        yield
    finally:
        for layer in norms:
            layer.synchronized = False
