"""Images per second of a model in each runtime."""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from keras_cait.benchmarking.processes import (
    images_of,
    is_backend,
    measure_apart,
    measure_here,
)
from keras_cait.benchmarking.runtimes import FILES, LOADERS, Source
from keras_cait.benchmarking.settings import InferenceSettings
from keras_cait.benchmarking.timing import rounded
from keras_cait.models.published.flops import flops


def benchmark_inference(settings: InferenceSettings) -> dict[str, Any]:
    """Measures a single runtime in this process, several in a process each."""
    with tempfile.TemporaryDirectory() as temporary:
        files = settings.files or Path(temporary)
        files.mkdir(parents=True, exist_ok=True)
        settings = replace(settings, files=files)
        name, *others = settings.runtimes
        if others or not is_backend(settings.runtimes):
            return measure_apart("inference", settings, "runtimes", settings.runtimes)
        source = Source(settings.model, settings.image_size, settings.precision, files)
        if name in FILES:
            source.file(FILES[name])  # written before the clock starts

        def load() -> Callable[[int], Callable[[], Any]]:
            with_images = LOADERS[name](source)
            return lambda size: with_images(images_of(settings, size))

        found = measure_here(settings, name, load, lambda: flops(source.build()))
        if name in FILES:
            found["results"][name]["file_mb"] = rounded(source.file_mb(FILES[name]))
        return found
