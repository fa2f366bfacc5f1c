"""Measures the speed of a model in each runtime, on this machine.

    python recipes/benchmarks/inference.py --model CaiT_XXS24
    python recipes/benchmarks/inference.py --runtimes saved_model onnxruntime
    python recipes/benchmarks/inference.py --model DeiT_S --image-size 384

Each runtime has a process of its own, so that peak memory and threads are its own. The
files of the exports are written to a temporary folder, or to `--files`, where later
runs find them. `--precision` is that of Keras's runtimes, and float16 that of TFLite's
weights too. The runtimes:

    predict            model.predict, of a model that was not compiled
    graph, xla         the Keras model in TensorFlow, as a graph and compiled by XLA
    jax                the Keras model compiled by JAX
    saved_model        the served model in TensorFlow, of pixels
    saved_model_jpeg   the same, of JPEG files of 500 x 375 pixels
    tflite             the TFLite file in LiteRT, one image after the other
    onnxruntime        the ONNX file in onnxruntime

Of each batch size it prints images per second, the best and the median call, and the
share of the speed of this machine's float32 matrix products that the median reaches;
the seconds to the first result, with loading and compiling, without imports; and the
peak memory of the process. The last line of the standard output is a JSON object, which
has the sizes of the files too.
"""

import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported

from measurement.processes import CallSettings, is_backend, measure_apart, measure_here
from measurement.program import run_program
from measurement.runtimes import FILES, RUNTIMES, Source
from measurement.timing import rounded

from keras_cait.models.published.flops import flops
from keras_cait.training.settings.flags import option

Runtime = Literal[
    "predict",
    "graph",
    "xla",
    "jax",
    "saved_model",
    "saved_model_jpeg",
    "tflite",
    "onnxruntime",
]


@dataclass(frozen=True, kw_only=True)
class InferenceSettings(CallSettings):
    """Settings of `inference.py`."""

    runtimes: tuple[Runtime, ...] = option(tuple(RUNTIMES), "runtimes to measure")
    files: Path | None = option(None, "folder that keeps the exported files")


def benchmark_inference(settings: InferenceSettings) -> dict[str, Any]:
    """Measures a single runtime in this process, several in a process each."""
    with tempfile.TemporaryDirectory() as temporary:
        files = settings.files or Path(temporary)
        files.mkdir(parents=True, exist_ok=True)
        settings = replace(settings, files=files)
        name, *others = settings.runtimes
        if others or not is_backend(settings.runtimes):
            return measure_apart(__file__, settings, "runtimes", settings.runtimes)
        source = Source(settings.model, settings.image_size, settings.precision, files)
        if name in FILES:
            source.file(FILES[name])  # written before the clock starts

        def load() -> Callable[[int], Callable[[], Any]]:
            with_images = RUNTIMES[name](source)
            return lambda size: with_images(settings.images(size))

        found = measure_here(settings, name, load, lambda: flops(source.build()))
        if name in FILES:
            found["results"][name]["file_mb"] = rounded(source.file_mb(FILES[name]))
        return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures the runtimes; returns the exit code."""
    return run_program(InferenceSettings, benchmark_inference, arguments, __doc__)


if __name__ == "__main__":
    sys.exit(main())
