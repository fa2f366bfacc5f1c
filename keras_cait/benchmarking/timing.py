"""Timing of repeated calls, and the speed of this machine's matrix products.

Only the matrix products need a package, NumPy, so that programs which run in an
environment without Keras can use this file too.
"""

import json
import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_SIDE = 2048  # of the matrices
_FEWEST = 5  # timed calls
_WARM_UP = 2  # calls after the first one


@dataclass(frozen=True)
class Timing:
    """Durations of calls.

    Attributes:
        first: Seconds of the first call, which compiles and allocates.
        seconds: Seconds of each call after the warm-up.
    """

    first: float
    seconds: tuple[float, ...]

    def rates(self, images: int) -> dict[str, float]:
        """Images per second of calls of so many images, the best and the median."""
        return {
            "best": rounded(images / min(self.seconds)),
            "median": rounded(images / statistics.median(self.seconds)),
        }


def timed(run: Callable[[], Any], *, seconds: float) -> Timing:
    """Calls a function three times for warm-up, then for this time, five times or more.

    Example:
        >>> timing = timed(lambda: sum(range(1000)), seconds=0.0)
        >>> len(timing.seconds), min(timing.seconds) > 0
        (5, True)

    """
    started = time.perf_counter()
    run()
    first = time.perf_counter() - started
    for _ in range(_WARM_UP):
        run()
    found: list[float] = []
    while sum(found) < seconds or len(found) < _FEWEST:
        started = time.perf_counter()
        run()
        found.append(time.perf_counter() - started)
    return Timing(first, tuple(found))


def matrix_product_gflops() -> float:
    """Speed of float32 matrix products in NumPy, the best of them, in GFLOP/s."""
    import numpy as np  # here, for programs that print their help

    matrix = np.random.default_rng(0).standard_normal((_SIDE, _SIDE), "float32")
    best = min(timed(lambda: matrix @ matrix, seconds=0.5).seconds)
    return rounded(2 * _SIDE**3 / best / 1e9)


def rounded(value: float) -> float:
    """The value with four significant digits."""
    return float(f"{value:.4g}")


def output_of(
    command: Sequence[Any], environment: Mapping[str, str] | None = None
) -> Any:
    """Runs a program in a process of its own; returns the JSON of its last line.

    Raises `ValueError` with the last line of its error output if it fails.
    """
    done = subprocess.run(
        [str(part) for part in command],
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise ValueError(f"exit code {done.returncode}: {reason}")
    return json.loads(done.stdout.splitlines()[-1])
