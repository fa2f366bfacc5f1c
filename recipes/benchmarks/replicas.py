r"""Measures the speed of distillation on one device and on more.

    python recipes/benchmarks/replicas.py --replicas 4
    python recipes/benchmarks/replicas.py --student CaiT_S24 --teacher RegNetY_16GF \
        --image-size 224 --batch-size 256 --replicas 8

Prints the images per second of a distillation, on one replica, two, four and so on up
to `--replicas`: on GPUs if there are enough, otherwise on logical devices, which share
the processors of one machine. The last line of the standard output is a JSON object.
"""

import contextlib
import dataclasses
import io
import math
import os
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported

import keras_cait_command  # first: then keras_cait does not import Keras
from keras_cait.command_line.flags import option
from keras_cait.processors import processors
from keras_cait.training.settings.run_settings import DATA_SETTINGS, RunSettings

FILES = ("config.json", "tensorboard")
IMAGENET_RUN = 300 * 1_281_167  # images, in the papers' 300 epochs


@dataclass(frozen=True, kw_only=True)
class ReplicaSettings(RunSettings):
    """Settings of `replicas.py`."""

    epochs: int = option(3, "epochs of a measurement; the first one compiles")
    batch_size: int = option(64, "images per step on all devices together")
    student: str = option(
        "embed_dim=64,depth=4,num_heads=4,patch_size=2", "a builder's name, or sizes"
    )
    teacher: str = option("convnet", "a teacher by name; none for labels alone")
    replicas: int = option(2, "largest number of devices: 1, 2, 4, ...")

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check("replicas", self.replicas >= 1, "1 or more")
        self._check("epochs", self.epochs >= 2, "2 or more")
        unit = math.lcm(*_doubled(self.replicas))
        self._check(
            "batch_size",
            self.batch_size % unit == 0,
            f"a multiple of {unit}, for 1, 2, 4, ... {self.replicas} replicas",
        )


def benchmark_replicas(settings: ReplicaSettings) -> dict[str, Any]:
    """Measures distillation on 1, 2, 4, ... devices, in turn, twice each."""
    numbers = _doubled(settings.replicas)
    rates: dict[int, list[float]] = {number: [] for number in numbers}
    # One process for each: TensorFlow makes logical devices only once per process.
    with ProcessPoolExecutor(
        max_workers=1, mp_context=get_context("spawn"), max_tasks_per_child=1
    ) as processes:
        for _ in range(2):
            for number, found in rates.items():
                found.append(processes.submit(_rate, settings, number).result())
    results: dict[str, Any] = {"batch_size": settings.batch_size, "device": _device()}
    alone = max(rates[1])
    for number in numbers:
        best = max(rates[number])
        sys.stdout.write(
            f"{number} replicas {best:8.1f} images/s best, {min(rates[number]):8.1f} "
            f"the other time, {best / alone:5.2f} times one\n"
        )
        results[f"replicas_{number}"] = float(f"{best:.4g}")
    hours = IMAGENET_RUN / max(rates[settings.replicas]) / 3600
    results["imagenet_300_epochs_hours"] = round(hours, 1)
    sys.stdout.write(
        f"At the last rate 300 epochs of ImageNet, {IMAGENET_RUN:,} images of this "
        f"size, take {hours:,.0f} hours.\n"
    )
    if not _gpus():
        sys.stdout.write(
            f"These replicas are logical devices of one machine: they share its "
            f"{processors()} processors, its memory and the input pipeline. They "
            "measure the cost of replicas, not the gain of more devices.\n"
        )
    return results


def _doubled(most: int) -> list[int]:
    """1, 2, 4, ... up to the given number, and that number."""
    numbers = [2**power for power in range(most.bit_length())]
    return sorted({*numbers, most})


def _rate(settings: ReplicaSettings, replicas: int) -> float:
    # Here, so that --help answers at once.
    from keras_cait.data.sources.load import load_dataset
    from keras_cait.training.devices.strategy import make_strategy
    from keras_cait.training.distillation_setup import DistillationSetup
    from keras_cait.training.fit import fit
    from keras_cait.training.programs.students import build_student
    from keras_cait.training.run import Run
    from keras_cait.training.teachers.teacher import make_teacher

    make_strategy(f"mirrored:{replicas}")  # before TensorFlow reads any image
    data = load_dataset(
        settings.dataset,
        data_dir=settings.data_dir,
        **{name: getattr(settings, name) for name in DATA_SETTINGS},
    )
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.redirect_stdout(io.StringIO()),  # the output of the run
    ):
        settings = dataclasses.replace(
            settings, strategy=f"mirrored:{replicas}", output=Path(folder, "run")
        )
        run = Run(settings, data, FILES)
        build = partial(
            build_student,
            settings.student,
            "deit",
            "cait",
            input_shape=run.image_shape,
            classes=run.classes,
            distilled=settings.teacher != "none",
        )
        student = run.make(build)
        setup = None
        if settings.teacher != "none":
            make = partial(  # random weights are as fast
                make_teacher,
                settings.teacher,
                run.image_shape,
                run.classes,
                weights=None,
            )
            teacher = run.make(make, precision="none")
            setup = DistillationSetup(teacher=teacher, distillation="hard", alpha=0.5)
        run.start()
        return fit(run, "student", student, setup)


def _gpus() -> int:
    import tensorflow as tf

    return len(tf.config.list_physical_devices("GPU"))


def _device() -> str:
    return f"{_gpus()} GPUs" if _gpus() else f"{processors()} CPU cores"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures distillation; returns the exit code."""
    return keras_cait_command.run_program(
        ReplicaSettings, benchmark_replicas, arguments, __doc__
    )


if __name__ == "__main__":
    sys.exit(main())
