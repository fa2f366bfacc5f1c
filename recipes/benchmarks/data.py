"""Measures the speed of the input pipeline on this machine.

    python recipes/benchmarks/data.py
    python recipes/benchmarks/data.py --data-dir DIR --images 1000
    python recipes/benchmarks/data.py --timm .venv-torch/bin/python

Prints images per second and core, from JPEG files to DeiT's training batches: random
resized crop to 224 pixels, flip, RandAugment, random erasing, Mixup and CutMix.
Without a folder the files are parts of a photograph, 500 x 375 pixels each. `--timm` is
the path of a Python with torch and timm; timm's pipeline, with a worker per core, is
measured on the same files, in turn with ours.

The last line of the standard output is a JSON object.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported

import keras_cait_command  # first: then keras_cait does not import Keras
from keras_cait.command_line.flags import option
from keras_cait.processors import processors
from keras_cait.training.settings.training_settings import TrainingSettings

_HEIGHT, _WIDTH = 375, 500  # pixels, of ImageNet's typical photograph
_TIMM = Path(__file__).with_name("data_timm.py")


@dataclass(frozen=True, kw_only=True)
class PipelineSettings(TrainingSettings):
    """Settings of `data.py`."""

    batch_size: int = option(64, "images a batch")
    data_dir: Path | None = option(None, "folder of CLASS/*.jpg")
    images: int = option(512, "images to measure on")
    image_size: int = option(224, "side of a training image in pixels")
    passes: int = option(5, "number of passes over the images")
    timm: Path | None = option(None, "a Python with torch and timm, to compare with")

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("images", "image_size", "passes"):
            self._check(name, getattr(self, name) >= 1, "1 or more")


def write_photographs(folder: Path, number: int) -> None:
    """Writes JPEG files, parts of a photograph, into two class folders."""
    import numpy as np
    import tensorflow as tf
    from sklearn.datasets import load_sample_image

    photograph = load_sample_image("china.jpg")  # 427 x 640 pixels
    generator = np.random.default_rng(0)
    for index in range(number):
        top = generator.integers(photograph.shape[0] - _HEIGHT + 1)
        left = generator.integers(photograph.shape[1] - _WIDTH + 1)
        part = photograph[top : top + _HEIGHT, left : left + _WIDTH]
        path = folder / str(index % 2) / f"{index:05}.jpg"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(tf.io.encode_jpeg(part, quality=90).numpy())


def our_rates(settings: PipelineSettings, folder: Path) -> list[float]:
    """Images per second of each pass through our pipeline."""
    # Here, so that --help answers at once.
    from keras_cait.data.batches import steps_per_epoch, training_batches
    from keras_cait.data.sources.load import load_test_images
    from keras_cait.data.sources.unreadable_images import name_unreadable_images
    from keras_cait.training.input_pipeline import mixing_of, training_transforms

    names, images = load_test_images(data_dir=folder, limit=settings.images)
    batch_size = min(settings.batch_size, images.number)
    steps = steps_per_epoch(images.number, batch_size)
    batches = training_batches(
        images,
        training_transforms(settings, (settings.image_size, settings.image_size, 3)),
        batch_size,
        epochs=settings.passes + 1,
        seed=0,
        mixing=mixing_of(settings),
        classes=max(2, len(names)),
    )
    rates = []
    started = time.perf_counter()
    with name_unreadable_images(images):
        for step, _ in enumerate(batches, 1):
            if step % steps == 0:
                now = time.perf_counter()
                rates.append(steps * batch_size / (now - started))
                started = now
    return rates[1:]  # the first one fills the pipeline


def timm_rates(settings: PipelineSettings, folder: Path) -> list[float]:
    """Images per second of each pass through timm's pipeline, in another process."""
    command: list[Any] = [
        settings.timm,
        _TIMM,
        folder,
        settings.images,
        settings.batch_size,
    ]
    command += [settings.image_size, settings.passes, processors()]
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise ValueError(f"timm's pipeline failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def benchmark_data(settings: PipelineSettings) -> dict[str, Any]:
    """Measures our input pipeline, and timm's with `--timm`."""
    if settings.timm is not None and not settings.timm.is_file():
        raise FileNotFoundError(f"No Python at {settings.timm}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = settings.data_dir or Path(temporary)
        if settings.data_dir is None:
            write_photographs(folder, settings.images)
        rates = {"keras_cait": our_rates(settings, folder)}
        if settings.timm is not None:
            rates["timm"] = timm_rates(settings, folder)
            rates["keras_cait"] += our_rates(settings, folder)
            rates["timm"] += timm_rates(settings, folder)
    results: dict[str, Any] = {"cores": processors(), "images": settings.images}
    for name, found in rates.items():
        best, median = (f(found) / processors() for f in (max, statistics.median))
        print(f"{name:12}{best:8.1f} best, {median:8.1f} median images/s and core")
        results[f"{name}_best"] = round(best, 1)
        results[f"{name}_median"] = round(median, 1)
    return results


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures the pipelines; returns the exit code."""
    return keras_cait_command.run_program(
        PipelineSettings, benchmark_data, arguments, __doc__
    )


if __name__ == "__main__":
    sys.exit(main())
