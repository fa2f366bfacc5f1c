"""Images per second of training steps."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_cait.benchmarking.processes import (
    images_of,
    is_backend,
    measure_apart,
    measure_here,
)
from keras_cait.benchmarking.runtimes import Source
from keras_cait.benchmarking.settings import TrainingStepSettings
from keras_cait.models.published.flops import flops

JIT_COMPILE: dict[str, bool | str] = {
    "tensorflow_xla": True,
    "tensorflow_auto": "auto",
    "tensorflow_graph": False,
    "jax": True,
}
"""Values of `jit_compile`, by the way to run a step."""


def benchmark_steps(settings: TrainingStepSettings) -> dict[str, Any]:
    """Measures a single way in this process, several in a process each."""
    way, *others = settings.ways
    if others or not is_backend(settings.ways):
        return measure_apart("training", settings, "ways", settings.ways)
    source = Source(settings.model, settings.image_size, settings.precision, Path())

    def load() -> Callable[[int], Callable[[], Any]]:
        model = source.build()
        model.compile(
            optimizer=keras.optimizers.AdamW(1e-4, weight_decay=0.05),
            loss=keras.losses.SparseCategoricalCrossentropy(),
            jit_compile=JIT_COMPILE[way],
        )

        def call_of(size: int) -> Callable[[], Any]:
            images, labels = images_of(settings, size), np.arange(size)
            return lambda: model.train_on_batch(images, labels)

        return call_of

    return measure_here(settings, way, load, lambda: 3 * flops(source.build()))
