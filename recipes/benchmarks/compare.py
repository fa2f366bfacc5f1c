"""Compares the speed of this package with others, in turn on this machine.

    python recipes/benchmarks/compare.py
    python recipes/benchmarks/compare.py --models CaiT_XXS24 --rounds 5
    python recipes/benchmarks/compare.py --only saved_model onnxruntime
    python recipes/benchmarks/compare.py --pythons .venv-torch/bin/python

is `make bench`. Inference of one image and of eight, and training steps of eight, in
float32. `--pythons` are the interpreters of environments with peers: timm and torch
(`make torch` builds one), ZeroModels and TensorFlow, onnxruntime, OpenVINO. `peers.py`
lists what it can measure; a peer that no environment has is named and left out.

Each measurement is a process of its own. All of them run once in each round, in turn
and with a rest between, so that load from outside affects all. The table has the best
call of all rounds, and the median over the rounds of each round's median; ratios of
ours to theirs follow, and the picture, from the best calls, because other load only
makes a call slower. The last line of the standard output is a JSON object.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported

from peers import INFERENCE, PACKAGES, TRAINING

import keras_cait_command  # first: then keras_cait does not import Keras
from keras_cait.benchmarking.timing import matrix_product_gflops, output_of, rounded
from keras_cait.command_line.flags import option
from keras_cait.optional_packages import import_optional
from keras_cait.processors import processors
from keras_cait.range_check import check_range
from keras_cait.variants import VARIANTS

_FOLDER = Path(__file__).parent
_TORCH = Path(".venv-torch/bin/python")  # which `make torch` builds
_PUBLISHED = [
    name for name, v in VARIANTS.items() if v.checkpoints and v.family != "regnet"
]
OURS = {
    "inference": ("graph", "xla", "saved_model", "tflite", "onnxruntime"),
    "training": ("tensorflow_xla", "tensorflow_auto", "jax"),
}
"""Our runtimes, and our ways to run a training step."""

RATIOS = {
    "inference": (
        ("saved_model", "onnxruntime"),
        ("xla", "graph"),
        ("xla", "zeromodels_xla"),
        ("xla", "timm_compile"),
        ("graph", "timm"),
        ("onnxruntime", "timm_onnxruntime"),
        ("onnxruntime", "timm_openvino"),
        ("tflite", "timm_openvino"),
    ),
    "training": (
        ("tensorflow_xla", "zeromodels_xla"),
        ("tensorflow_xla", "timm"),
        ("tensorflow_xla", "timm_compile"),
        ("jax", "tensorflow_xla"),
    ),
}
"""Pairs whose ratio is printed: ours, and what it is compared with."""


@dataclass(frozen=True, kw_only=True)
class ComparisonSettings:
    """Settings of `compare.py`."""

    models: tuple[str, ...] = option(
        ("CaiT_XXS24", "DeiT_Ti_Distilled"), "names of builders"
    )
    tasks: tuple[Literal["inference", "training"], ...] = option(
        ("inference", "training"), "tasks to measure"
    )
    image_size: int = option(224, "side of the images in pixels")
    inference_batches: tuple[int, ...] = option((1, 8), "images a call")
    training_batches: tuple[int, ...] = option((8,), "images a training step")
    rounds: int = option(3, "measurements of each")
    seconds: float = option(3.0, "duration of a measurement")
    rest: float = option(2.0, "seconds between two measurements")
    only: tuple[str, ...] | None = option(None, "names to measure, instead of all")
    pythons: tuple[Path, ...] = option(
        (_TORCH,) if _TORCH.exists() else (), "interpreters that have peers"
    )
    files: Path | None = option(None, "folder that keeps exported files")
    picture: Path | None = option(None, "an .svg or .png file with the rates")

    def __post_init__(self) -> None:
        known = set(self.models) <= set(_PUBLISHED)
        check_range(known, f"of {', '.join(_PUBLISHED)}", models=self.models)
        for name in ("image_size", "rounds", "seconds"):
            value = getattr(self, name)
            check_range(value > 0, "above 0", **{name: value})
        for python in self.pythons:
            if not python.is_file():
                raise FileNotFoundError(f"No Python at {python}")


@dataclass(frozen=True)
class Contestant:
    """One implementation of a task, and the command that measures it."""

    model: str
    task: str  # "inference" or "training"
    name: str
    command: tuple[Any, ...]

    def measure(self) -> dict[str, dict[str, float]]:
        """Measures it once; rates by batch size."""
        backend = "jax" if self.name == "jax" else "tensorflow"
        found = output_of(self.command, {"KERAS_BACKEND": backend})
        return found["results"][self.name]["batches"]


def pythons_of_peers(pythons: Sequence[Path]) -> dict[str, str]:
    """The first interpreter that has each peer, of these and this one."""
    found: dict[str, str] = {}
    for python in (*map(str, pythons), sys.executable):
        for peer in output_of([python, _FOLDER / "peers.py", "installed"]):
            found.setdefault(peer, python)
    if "timm" not in found:  # which writes their files
        found = {n: p for n, p in found.items() if not n.startswith("timm_")}
    for peer in PACKAGES.keys() - found.keys():
        print(f"{peer}: left out, because no Python has its packages")
    return found


def contestants(
    settings: ComparisonSettings, model: str, files: Path, peers: dict[str, str]
) -> Iterator[Contestant]:
    """Ours and the installed peers, of both tasks."""
    for task, of_peers in {"inference": INFERENCE, "training": TRAINING}.items():
        common: list[Any] = ["--image-size", settings.image_size]
        common += ["--seconds", settings.seconds]
        common += ["--batch-sizes", *getattr(settings, f"{task}_batches")]
        for name in OURS[task]:
            command = [sys.executable, _FOLDER / f"{task}.py", "--model", model]
            which = ["--ways", name]
            if task == "inference":
                which = ["--runtimes", name, "--files", files]
            yield Contestant(model, task, name, (*command, *common, *which))
        for name in of_peers:
            if name in peers:
                command = [peers[name], _FOLDER / "peers.py", task, "--peer", name]
                which = [*_flags_of_peers(model), "--files", files]
                yield Contestant(model, task, name, (*command, *common, *which))


def _flags_of_peers(model: str) -> list[str]:
    variant = VARIANTS[model]
    names = ("embed_dim", "depth", "num_heads", "patch_size")
    sizes = ",".join(f"{name}={variant.sizes[name]}" for name in names)
    return ["--timm-name", variant.checkpoints[0].timm_name, "--sizes", sizes]


def compare(settings: ComparisonSettings) -> dict[str, Any]:
    """Measures all in turn, prints the table and the ratios, and draws the picture."""
    peers = pythons_of_peers(settings.pythons)
    rates: dict[str, dict[str, Any]] = {}  # by model and task, contestant, batch size
    products = []
    with tempfile.TemporaryDirectory() as temporary:
        files = settings.files or Path(temporary)
        everyone: list[Contestant] = []
        for model in settings.models:
            everyone += [
                one
                for one in contestants(settings, model, files, peers)
                if one.task in settings.tasks
                and (settings.only is None or one.name in settings.only)
            ]
            names = {one.name for one in everyone if one.model == model}
            if names & {"timm_onnxruntime", "timm_openvino"}:
                write = [peers["timm"], _FOLDER / "peers.py", "onnx", "--files", files]
                write += ["--image-size", settings.image_size, *_flags_of_peers(model)]
                output_of([*write, "--batch-sizes", *settings.inference_batches])
        for number in range(1, settings.rounds + 1):
            products.append(matrix_product_gflops())
            print(f"round {number}: matrix product, {products[-1]} GFLOP/s", flush=True)
            for one in everyone:
                time.sleep(settings.rest)  # the threads of some runtimes spin
                row = rates.setdefault(f"{one.model}, {one.task}", {})
                try:
                    found = one.measure()
                except ValueError as error:
                    print(f"{one.model}, {one.task}, {one.name}: {error}")
                    continue
                for size, values in found.items():
                    batch = f"batch {size}"
                    row.setdefault(batch, {}).setdefault(one.name, []).append(values)
                    rate = f"{values['best']} images/s"
                    print(f"  {one.model}, {one.name}, {batch}: {rate}", flush=True)
    table = {
        case: {batch: _summaries(found) for batch, found in batches.items()}
        for case, batches in rates.items()
    }
    _print(table)
    if settings.picture is not None:
        draw(table).savefig(settings.picture)
    return {
        "processors": processors(),
        "matrix_product_gflops": max(products),
        "rounds": settings.rounds,
        "rates": table,
        "ratios": ratios(table),
    }


def _summaries(found: dict[str, list[dict[str, float]]]) -> dict[str, dict[str, float]]:
    return {
        name: {
            "best": max(row["best"] for row in rows),
            "median": rounded(statistics.median(row["median"] for row in rows)),
            "first_s": min(row["first_s"] for row in rows),
        }
        for name, rows in found.items()
    }


def ratios(table: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Best rates of ours over those of others, for the pairs of `RATIOS`."""
    found: dict[str, dict[str, float]] = {}
    for case, batches in table.items():
        task = case.rpartition(", ")[2]
        for batch, rows in batches.items():
            for ours, other in RATIOS[task]:
                if ours in rows and other in rows:
                    ratio = rows[ours]["best"] / rows[other]["best"]
                    pair = f"{ours} / {other}"
                    found.setdefault(f"{case}, {batch}", {})[pair] = rounded(ratio)
    return found


def _print(table: dict[str, Any]) -> None:
    for case, batches in table.items():
        for batch, rows in batches.items():
            print(f"\n{case}, {batch}: images/s, best and median")
            for name, row in sorted(rows.items(), key=lambda item: -item[1]["best"]):
                print(f"  {name:20}{row['best']:9.1f}{row['median']:9.1f}")
    for case, pairs in ratios(table).items():
        print(f"\n{case}")
        for pair, ratio in pairs.items():
            print(f"  {pair:36}{ratio:6.2f}")


def draw(table: dict[str, Any]) -> Any:
    """Bars of the best rates, ours and theirs in two colors; a matplotlib figure."""
    matplotlib = import_optional("matplotlib.figure", "recipes")
    panels = [
        (f"{case}, {batch}", rows)
        for case, batches in table.items()
        for batch, rows in batches.items()
    ]
    columns = min(3, len(panels))
    lines = -(-len(panels) // columns)
    figure = matplotlib.Figure(figsize=(4.2 * columns, 3.1 * lines), layout="tight")
    grid = list(figure.subplots(lines, columns, squeeze=False).flat)
    ours = {name for names in OURS.values() for name in names}
    for axes, (title, rows) in zip(grid, panels, strict=False):
        names = sorted(rows, key=lambda name: rows[name]["best"])
        colors = ["tab:blue" if name in ours else "tab:gray" for name in names]
        bars = axes.barh(names, [rows[n]["best"] for n in names], color=colors)
        axes.bar_label(bars, fmt="%.1f", padding=2, fontsize=7)
        axes.set_title(title, fontsize=9)
        axes.tick_params(labelsize=7)
        axes.margins(x=0.15)
        axes.spines[["top", "right"]].set_visible(False)
    for axes in grid[len(panels) :]:
        axes.set_axis_off()
    figure.suptitle("Images per second; blue: keras_cait", fontsize=10)
    return figure


def main(arguments: Sequence[str] | None = None) -> int:
    """Compares; returns the exit code."""
    return keras_cait_command.run_program(
        ComparisonSettings, compare, arguments, __doc__
    )


if __name__ == "__main__":
    sys.exit(main())
