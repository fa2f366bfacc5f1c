"""Measurements of one model, in this process or in one for each."""

import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from keras_cait.benchmarking.settings import CallSettings
from keras_cait.benchmarking.timing import (
    matrix_product_gflops,
    output_of,
    rounded,
    timed,
)
from keras_cait.processors import peak_memory_mb, processors

_PRODUCT = "matrix_product_gflops"


def images_of(settings: CallSettings, batch_size: int) -> np.ndarray:
    """Random images, `(batch, side, side, 3)` float32 in [0, 255]."""
    shape = (batch_size, settings.image_size, settings.image_size, 3)
    return np.random.default_rng(0).uniform(0, 255, shape).astype("float32")


def measure_apart(
    task: str,
    settings: CallSettings,
    field: str,
    names: Iterable[str],
) -> dict[str, Any]:
    """Runs a task in a process for each value of a setting; returns their results.

    A value whose process fails, for example because a package is not installed, has
    its error as result.
    """
    results: dict[str, Any] = {}
    for name in names:
        try:
            found = _measured_apart(task, replace(settings, **{field: (name,)}), name)
        except ValueError as error:
            print(f"{name:18}{error}")  # noqa: T201
            results.setdefault("results", {})[name] = {"error": str(error)}
            continue
        print_result(name, found["results"][name])
        # Other load slows down a matrix product too: the fastest one counts.
        fastest = max(found[_PRODUCT], results.get(_PRODUCT, 0.0))
        earlier = results.get("results", {})
        results = {**found, "results": {**earlier, **found["results"]}}
        results[_PRODUCT] = fastest
    for found in results["results"].values():
        for row in found.get("batches", {}).values():
            speed = row["median"] * results["gflop_an_image"]
            row["share"] = rounded(speed / results[_PRODUCT])
    return results


def is_backend(names: Iterable[str]) -> bool:
    """Whether this process has the Keras backend that the measurements need."""
    return {keras.backend.backend()} == set(map(_backend, names))


def _measured_apart(task: str, settings: CallSettings, name: str) -> dict[str, Any]:
    program = [sys.executable, "-m", "keras_cait.benchmarking", task]
    return output_of([*program, *settings.flags()], {"KERAS_BACKEND": _backend(name)})


def _backend(name: str) -> str:
    return "jax" if name == "jax" else "tensorflow"


def measure_here(
    settings: CallSettings,
    name: str,
    load: Callable[[], Callable[[int], Callable[[], Any]]],
    operations: Callable[[], float],
) -> dict[str, Any]:
    """Measures in this process; returns what a program prints as JSON.

    `load` returns a function of the batch size that returns the call to time;
    `operations` returns those for one image, after the peak memory was read.
    """
    imports_mb = peak_memory_mb()
    started = time.perf_counter()
    call_of = load()
    loading = time.perf_counter() - started
    timings = {
        size: timed(call_of(size), seconds=settings.seconds)
        for size in settings.batch_sizes
    }
    peak_mb, product = peak_memory_mb(), matrix_product_gflops()
    gflop = operations() / 1e9
    batches = {}
    for size, timing in timings.items():
        row = timing.rates(size)
        row["share"] = rounded(row["median"] * gflop / product)
        row["first_s"] = rounded(loading + timing.first)
        batches[str(size)] = row
    found = {
        "batches": batches,
        "imports_mb": round(imports_mb),
        "peak_mb": round(peak_mb),
    }
    print_result(name, found)
    return {
        "model": settings.model,
        "image_size": settings.image_size,
        "precision": settings.precision,
        "processors": processors(),
        "gflop_an_image": rounded(gflop),
        _PRODUCT: product,
        "results": {name: found},
    }


def print_result(name: str, found: dict[str, Any]) -> None:
    """Prints a line for each batch size."""
    for size, row in found["batches"].items():
        rates = f"{row['best']:9.1f} best,{row['median']:9.1f} median images/s,"
        share = f"{100 * row['share']:4.0f} % of the matrix product, "
        first = f"first after{row['first_s']:6.1f} s,{found['peak_mb']:7,} MB"
        print(f"{name:18}batch{size:>4}{rates}{share}{first}")  # noqa: T201
