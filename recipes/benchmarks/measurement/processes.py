"""Measurements of one model, in this process or in one for each."""

import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

import keras
import numpy as np
from measurement.timing import matrix_product_gflops, output_of, rounded, timed

from keras_cait.processors import peak_memory_mb, processors
from keras_cait.range_check import check_range
from keras_cait.training.settings.flags import flag_names, option


@dataclass(frozen=True, kw_only=True)
class ModelSettings:
    """Settings of the programs that measure a model."""

    model: str = option("CaiT_XXS24", "a builder's name, or sizes of a CaiT")
    image_size: int = option(224, "side of the images in pixels")

    def __post_init__(self) -> None:
        check_range(self.image_size > 0, "above 0", image_size=self.image_size)

    def flags(self) -> list[str]:
        """The command line that gives these settings."""
        flags: list[str] = []
        for flag, value in zip(
            flag_names(type(self)), vars(self).values(), strict=True
        ):
            values = value if isinstance(value, list | tuple) else [value]
            flags += [flag, *map(str, values)] if value is not None else []
        return flags

    def measured_apart(self, program: str, field: str, name: str) -> dict[str, Any]:
        """What a program finds for one value of a setting, in a process of its own."""
        alone = replace(self, **{field: (name,)})
        return output_of(
            [sys.executable, program, *alone.flags()], {"KERAS_BACKEND": _backend(name)}
        )


@dataclass(frozen=True, kw_only=True)
class CallSettings(ModelSettings):
    """Settings of the programs that measure repeated calls of a model."""

    batch_sizes: tuple[int, ...] = option((1, 8), "images a call")
    precision: Literal["float32", "float16", "bfloat16"] = option(
        "float32", "float32, or Keras's mixed precision"
    )
    seconds: float = option(3.0, "duration of a measurement")

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("batch_sizes", "seconds"):
            value = getattr(self, name)
            check_range(bool(np.min(value) > 0), "above 0", **{name: value})

    def images(self, batch_size: int) -> np.ndarray:
        """Random images, `(batch, side, side, 3)` float32 in [0, 255]."""
        shape = (batch_size, self.image_size, self.image_size, 3)
        return np.random.default_rng(0).uniform(0, 255, shape).astype("float32")


_PRODUCT = "matrix_product_gflops"


def measure_apart(
    program: str,
    settings: CallSettings,
    field: str,
    names: Iterable[str],
) -> dict[str, Any]:
    """Runs a program for each value of a setting; returns their results together.

    A value whose program fails, for example because a package is not installed, has
    its error as result.
    """
    results: dict[str, Any] = {}
    for name in names:
        try:
            found = settings.measured_apart(program, field, name)
        except ValueError as error:
            print(f"{name:18}{error}")
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
        print(
            f"{name:18}batch{size:>4}{row['best']:9.1f} best,{row['median']:9.1f} "
            f"median images/s,{100 * row['share']:4.0f} % of the matrix product, "
            f"first after{row['first_s']:6.1f} s,{found['peak_mb']:7,} MB"
        )
