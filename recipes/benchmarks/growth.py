"""Measures how time and memory grow with tokens, depth and batch size.

    python recipes/benchmarks/growth.py --picture docs/growth.svg
    python recipes/benchmarks/growth.py --axes depth --tasks training
    python recipes/benchmarks/growth.py --axes tokens --tokens 64 196 576 --memory-gb 8

The model has CaiT-XXS24's width and heads. Along each axis one size changes: tokens
with the side of the images, at 16 pixels a patch; the number of self-attention blocks;
the images of a call. The others stay at 196 tokens, 24 blocks and one image. Inference
and training steps are compiled by XLA in TensorFlow, in float32, and each point has a
process of its own, as `inference.py` and `training.py` measure it; the time is that of
its fastest call, because other load only adds to it.

An axis ends where the next point would need more than `--memory-gb`, if memory grew in
proportion to the square of tokens, or to depth or batch size. The last line of the
standard output is a JSON object, with the processor seconds that `import keras_cait`
takes after `import keras`.
"""

import math
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported

import keras_cait_command  # first: then keras_cait does not import Keras
from keras_cait.benchmarking.timing import output_of, rounded
from keras_cait.command_line.flags import option
from keras_cait.optional_packages import import_optional
from keras_cait.range_check import check_range

_FOLDER = Path(__file__).parent
_PATCH = 16  # pixels
_WAYS = {"inference": "--runtimes xla", "training": "--ways tensorflow_xla"}
_IMPORT = """
import keras, time
started = time.process_time()
import keras_cait
print(time.process_time() - started)
"""
_IMPORTS = 3  # processes, whose fastest counts

Axis = Literal["tokens", "depth", "batch"]
Task = Literal["inference", "training"]


@dataclass(frozen=True, kw_only=True)
class GrowthSettings:
    """Settings of `growth.py`."""

    axes: tuple[Axis, ...] = option(("tokens", "depth", "batch"), "axes to measure")
    tasks: tuple[Task, ...] = option(("inference", "training"), "tasks to measure")
    tokens: tuple[int, ...] = option(
        (64, 196, 576, 1024, 1764, 3136), "numbers of patches, squares"
    )
    depth: tuple[int, ...] = option((12, 24, 36, 48), "numbers of blocks")
    batch: tuple[int, ...] = option((1, 8, 16, 32, 64), "numbers of images")
    embed_dim: int = option(192, "width of the model; a head has 48 of it")
    memory_gb: float = option(20.0, "largest memory of a process in 10**9 bytes")
    seconds: float = option(2.0, "duration of a measurement")
    picture: Path | None = option(None, "an .svg or .png file with the curves")

    def __post_init__(self) -> None:
        for name in ("tokens", "depth", "batch"):
            sizes = list(getattr(self, name))
            ascends = min(sizes) >= 1 and sizes == sorted(set(sizes))
            check_range(
                ascends, "numbers of 1 or more, in ascending order", **{name: sizes}
            )
        odd = [number for number in self.tokens if math.isqrt(number) ** 2 != number]
        check_range(not odd, "squares", tokens=odd)
        fits = self.embed_dim >= 48 and self.embed_dim % 48 == 0
        check_range(fits, "a multiple of 48", embed_dim=self.embed_dim)


def points(settings: GrowthSettings, axis: Axis, task: Task) -> Iterator[dict]:
    """Measures one size after the other, as long as the memory suffices."""
    power = 2 if axis == "tokens" else 1
    previous: dict[str, Any] | None = None
    for size in getattr(settings, axis):
        if previous is not None:
            needed = previous["peak_mb"] - previous["imports_mb"]
            needed *= (size / previous[axis]) ** power
            if needed / 1e3 > settings.memory_gb:
                print(f"{task}, {axis} {size}: left out, would need {needed:,.0f} MB")
                return
        previous = _measure(
            settings, task, {"tokens": 196, "depth": 24, "batch": 1} | {axis: size}
        )
        print(
            f"{task}, {axis:6}{size:6,}{previous['ms']:10,.1f} ms,"
            f"{previous['peak_mb']:8,} MB, first after{previous['first_s']:6.1f} s"
        )
        yield previous


def _measure(settings: GrowthSettings, task: Task, case: dict[str, int]) -> dict:
    dim, side = settings.embed_dim, _PATCH * math.isqrt(case["tokens"])
    model = f"embed_dim={dim},depth={case['depth']},num_heads={dim // 48}"
    command = [sys.executable, _FOLDER / f"{task}.py", *_WAYS[task].split()]
    command += ["--model", f"{model},patch_size={_PATCH}", "--image-size", side]
    command += ["--batch-sizes", case["batch"], "--seconds", settings.seconds]
    (found,) = output_of(command, {"KERAS_BACKEND": "tensorflow"})["results"].values()
    (row,) = found["batches"].values()
    return {
        **case,
        "ms": rounded(1e3 * case["batch"] / row["best"]),
        "first_s": row["first_s"],
        "peak_mb": found["peak_mb"],
        "imports_mb": found["imports_mb"],
    }


def import_seconds() -> float:
    """Processor seconds of `import keras_cait` after `import keras`."""
    command = [sys.executable, "-c", _IMPORT]
    return rounded(min(output_of(command) for _ in range(_IMPORTS)))


def benchmark_growth(settings: GrowthSettings) -> dict[str, Any]:
    """Measures every axis and task, and draws the picture."""
    found = {
        task: {axis: list(points(settings, axis, task)) for axis in settings.axes}
        for task in settings.tasks
    }
    if settings.picture is not None:
        draw(found).savefig(settings.picture)
    return {"import_s": import_seconds(), **found}


def draw(found: dict[str, dict[str, list[dict]]]) -> Any:
    """Time and memory along each axis; a matplotlib figure."""
    matplotlib = import_optional("matplotlib.figure", "recipes")
    axes_names = list(next(iter(found.values())))
    figure = matplotlib.Figure(figsize=(3.6 * len(axes_names), 5.4), layout="tight")
    grid = figure.subplots(2, len(axes_names), squeeze=False)
    for column, axis in enumerate(axes_names):
        for task, curves in found.items():
            rows = curves[axis]
            sizes = [row[axis] for row in rows]
            times = [row["ms"] / 1e3 for row in rows]
            memory = [row["peak_mb"] / 1e3 for row in rows]
            grid[0, column].plot(sizes, times, marker="o", label=task)
            grid[1, column].plot(sizes, memory, marker="o", label=task)
        for line, label in enumerate(("seconds a call", "peak memory, GB")):
            panel = grid[line, column]
            sizes = sorted(
                {row[axis] for curves in found.values() for row in curves[axis]}
            )
            panel.set(xscale="log", xlabel=axis, ylabel=label)
            panel.set_xticks(sizes, labels=map(str, sizes), minor=False)
            panel.minorticks_off()
            panel.tick_params(axis="x", labelsize=7)
            panel.grid(alpha=0.3)
            panel.legend(fontsize=7)
        grid[0, column].set_yscale("log")
        grid[1, column].set_ylim(bottom=0)
    return figure


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures the growth; returns the exit code."""
    return keras_cait_command.run_program(
        GrowthSettings, benchmark_growth, arguments, __doc__
    )


if __name__ == "__main__":
    sys.exit(main())
