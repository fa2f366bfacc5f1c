"""Measures the speed of training steps on this machine.

    python recipes/benchmarks/training.py --model CaiT_XXS24 --batch-sizes 8
    python recipes/benchmarks/training.py --ways tensorflow_xla jax --batch-sizes 1 8 32

A step is `model.train_on_batch` of a compiled model: AdamW, cross-entropy, random
images in memory and stochastic depth as published. Each way to run it has a process of
its own:

    tensorflow_xla     jit_compile=True
    tensorflow_auto    jit_compile="auto", Keras's default
    tensorflow_graph   jit_compile=False
    jax                JAX, which compiles always

Of each batch size it prints images per second, the best and the median step, the share
of the speed of this machine's float32 matrix products that the median reaches, where a
step takes three times the operations of a forward pass; the seconds to the end of the
first step, with compiling; and the peak memory of the process. The last line of the
standard output is a JSON object.
"""

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported

import keras
import numpy as np
from measurement.processes import CallSettings, is_backend, measure_apart, measure_here
from measurement.program import run_program
from measurement.runtimes import Source

from keras_cait.models.published.flops import flops
from keras_cait.training.settings.flags import option

JIT_COMPILE: dict[str, bool | str] = {
    "tensorflow_xla": True,
    "tensorflow_auto": "auto",
    "tensorflow_graph": False,
    "jax": True,
}
"""Values of `jit_compile`, by the way to run a step."""

Way = Literal["tensorflow_xla", "tensorflow_auto", "tensorflow_graph", "jax"]


@dataclass(frozen=True, kw_only=True)
class TrainingStepSettings(CallSettings):
    """Settings of `training.py`."""

    batch_sizes: tuple[int, ...] = option((8,), "images a step")
    ways: tuple[Way, ...] = option(tuple(JIT_COMPILE), "ways to run a step")


def benchmark_steps(settings: TrainingStepSettings) -> dict[str, Any]:
    """Measures a single way in this process, several in a process each."""
    way, *others = settings.ways
    if others or not is_backend(settings.ways):
        return measure_apart(__file__, settings, "ways", settings.ways)
    source = Source(settings.model, settings.image_size, settings.precision, Path())

    def load() -> Callable[[int], Callable[[], Any]]:
        model = source.build()
        model.compile(
            optimizer=keras.optimizers.AdamW(1e-4, weight_decay=0.05),
            loss=keras.losses.SparseCategoricalCrossentropy(),
            jit_compile=JIT_COMPILE[way],
        )

        def call_of(size: int) -> Callable[[], Any]:
            images, labels = settings.images(size), np.arange(size)
            return lambda: model.train_on_batch(images, labels)

        return call_of

    return measure_here(settings, way, load, lambda: 3 * flops(source.build()))


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures the ways; returns the exit code."""
    return run_program(TrainingStepSettings, benchmark_steps, arguments, __doc__)


if __name__ == "__main__":
    sys.exit(main())
