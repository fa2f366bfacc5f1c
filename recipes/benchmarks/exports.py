"""Measures how long the exports of a model take, and what they need.

    python recipes/benchmarks/exports.py --model CaiT_XXS24
    python recipes/benchmarks/exports.py --formats tflite onnx --image-size 384

An export is what `keras_cait.export` does for a user: preparing and folding the model,
writing the file, and the comparison with the Keras model in the file's own runtime.
Each format has a process of its own. The weights are random, which take as long as
others:

    saved_model     a SavedModel, for TensorFlow Serving
    tflite          a TFLite file in float32
    tflite_float16  a TFLite file with float16 weights
    onnx            an ONNX file

Of each it prints the seconds of the export, without imports and without building the
model; the peak memory of the process; the size of the result; and the largest
difference from the Keras model, as a part of the largest output. `inference.py`
measures how fast the files are. The last line of the standard output is a JSON object.
"""

import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_args

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported

import keras_cait_command  # first: then keras_cait does not import Keras
from keras_cait.benchmarking.settings import ModelSettings
from keras_cait.benchmarking.timing import output_of, rounded
from keras_cait.command_line.flags import option
from keras_cait.processors import peak_memory_mb, processors

Format = Literal["saved_model", "tflite", "tflite_float16", "onnx"]
FORMATS: tuple[Format, ...] = get_args(Format)


@dataclass(frozen=True, kw_only=True)
class ExportBenchmarkSettings(ModelSettings):
    """Settings of `exports.py`."""

    formats: tuple[Format, ...] = option(FORMATS, "formats to measure")


def benchmark_exports(settings: ExportBenchmarkSettings) -> dict[str, Any]:
    """Measures a single format in this process, several in a process each."""
    results: dict[str, Any] = {}
    for name in settings.formats:
        if len(settings.formats) == 1:
            results[name] = _measure(name, settings)
        else:
            try:
                results[name] = _measured_apart(name, settings)
            except ValueError as error:
                results[name] = {"error": str(error)}
        print(_line(name, results[name]), flush=True)
    return {
        "model": settings.model,
        "image_size": settings.image_size,
        "processors": processors(),
        "results": results,
    }


def _measured_apart(
    name: Format, settings: ExportBenchmarkSettings
) -> dict[str, float]:
    alone = replace(settings, formats=(name,))
    return output_of([sys.executable, __file__, *alone.flags()])["results"][name]


def _measure(name: Format, settings: ExportBenchmarkSettings) -> dict[str, float]:
    # Here, so that --help answers at once, and before the clock starts.
    from keras_cait.benchmarking.runtimes import Source
    from keras_cait.export import to_onnx, to_saved_model, to_tflite

    export, target = {
        "saved_model": (to_saved_model, "saved_model"),
        "tflite": (to_tflite, "model.tflite"),
        "tflite_float16": (partial(to_tflite, precision="float16"), "model.tflite"),
        "onnx": (to_onnx, "model.onnx"),
    }[name]
    imports_mb = peak_memory_mb()
    model = Source(settings.model, settings.image_size, "float32", Path()).build()
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        report = export(model, Path(folder) / target, verbose=False)
        seconds = time.perf_counter() - started
    return {
        "seconds": rounded(seconds),
        "imports_mb": round(imports_mb),
        "peak_mb": round(peak_memory_mb()),
        "file_mb": rounded(report.size_bytes / 1e6),
        "difference": rounded(report.comparison.relative_difference),
    }


def _line(name: str, found: dict[str, Any]) -> str:
    if "error" in found:
        return f"{name:16}{found['error']}"
    return (
        f"{name:16}{found['seconds']:7.1f} s,{found['peak_mb']:7,} MB of memory,"
        f"{found['file_mb']:8.1f} MB, difference {found['difference']:.1g}"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures the exports; returns the exit code."""
    return keras_cait_command.run_program(
        ExportBenchmarkSettings, benchmark_exports, arguments, __doc__
    )


if __name__ == "__main__":
    sys.exit(main())
