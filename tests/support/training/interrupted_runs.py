"""Training recipes in processes that a test stops by signals, and resumes."""

import gc
import importlib
import signal
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np

from tests.support.graphs import optimized_graphs

STUDENT = "embed_dim=16,depth=1,num_heads=2,patch_size=4"
FLAGS = [
    *("--dataset", "digits", "--limit", "64", "--batch-size", "8", "--epochs", "3"),
    *("--warmup-epochs", "1", "--ema", "0.9", "--checkpoint-steps", "3"),
    *("--mixup", "0.8", "--cutmix", "1.0", "--drop-path-rate", "0.2"),
]
TRAIN = ["recipes.train_deit", "--model", STUDENT, *FLAGS]
DISTIL = [
    *("recipes.distill_deit", "--student", STUDENT, *FLAGS),
    *("--teacher-epochs", "2", "--teacher-widths", "8", "--no-baseline"),
]


def start_recipe(recipe: list[str], folder: Path, *flags: str) -> subprocess.Popen[str]:
    """Starts a recipe in a process, with this output folder."""
    return subprocess.Popen(
        [sys.executable, "-m", *recipe, "--output", str(folder), *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run_recipe(recipe: list[str], folder: Path, *flags: str) -> None:
    """Runs a recipe in this process, which has imported its modules already."""
    main = importlib.import_module(recipe[0]).main
    with optimized_graphs():
        assert main([*recipe[1:], "--output", str(folder), *flags]) == 0
    gc.collect()  # the run is part of a cycle, and locks its folder until it is freed


def stderr_after_signal(
    process: subprocess.Popen[str],
    number: signal.Signals,
    *,
    after: float = 0.0,
    checkpoint: Path | None = None,
) -> str:
    """Sends a signal after some seconds, or once there is a checkpoint.

    Args:
        process: Process of `start_recipe`.
        number: Number of the signal.
        after: Seconds to wait first.
        checkpoint: Folder of the run; waits until a checkpoint is in it.

    Returns:
        The standard error output of the process.

    """
    while checkpoint is not None and process.poll() is None:
        if list(checkpoint.glob("checkpoints/*/step-*[1-9]*")):
            break
        time.sleep(0.01)
    time.sleep(after)
    process.send_signal(number)
    return process.communicate()[1]


def exit_code_after_signal(
    process: subprocess.Popen[str],
    number: signal.Signals,
    *,
    after: float = 0.0,
    checkpoint: Path | None = None,
) -> int:
    """The exit code after a signal; arguments as of `stderr_after_signal`."""
    stderr_after_signal(process, number, after=after, checkpoint=checkpoint)
    return process.returncode


def assert_same_bits(model: Path, other: Path) -> None:
    """Fails unless the weights in two files are the same bits."""
    weights, others = (
        keras.saving.load_model(path, compile=False).get_weights()
        for path in (model, other)
    )
    for one, two in zip(weights, others, strict=True):
        np.testing.assert_array_equal(one, two)
