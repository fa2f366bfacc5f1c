"""Batch normalization over the batch of all replicas in training."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

import keras

from keras_cait.typing import Tensor


class BatchStatistics:
    """Makes layers normalize by the whole batch, not by one replica's part of it.

    On TensorFlow each replica would normalize by its own images, and keep averages
    of its own, of which only the first replica's are saved. Keras shares them if a
    layer is `synchronized`; layers are so only while a step runs, since other
    backends refuse to load such layers. A replica without images gets a black one
    (see `TensorFlowSteps`), which is left out of the statistics.
    """

    def __init__(self, model: keras.Model) -> None:
        self.layers = [
            layer
            for layer in model._flatten_layers()
            if isinstance(layer, keras.layers.BatchNormalization)
        ]
        self._replica = threading.local()  # each replica runs in a thread of its own

    @contextlib.contextmanager
    def synchronized(self) -> Iterator[None]:
        """Inside, the layers use the statistics of the whole batch."""
        before = [layer.synchronized for layer in self.layers]
        for layer in self.layers:
            layer._moments = self._limited(layer._moments)
            layer.synchronized = True
        try:
            yield
        finally:
            for layer, synchronized in zip(self.layers, before, strict=True):
                layer.synchronized = synchronized
                del layer._moments  # restores the class's own

    @contextlib.contextmanager
    def limited_to(self, number: Tensor) -> Iterator[None]:
        """Inside, this replica's statistics are those of its first `number` images."""
        self._replica.images = number
        try:
            yield
        finally:
            self._replica.images = None

    def _limited(self, moments: Callable[..., Any]) -> Callable[..., Any]:
        def limited_moments(inputs: Tensor, mask: Tensor | None) -> Any:
            images = getattr(self._replica, "images", None)
            return moments(inputs[:images], None if mask is None else mask[:images])

        return limited_moments
