"""Settings that must stand before anything imports Keras."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from filelock import FileLock

ROOT = Path(__file__).parents[1]

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def pytest_configure(config: pytest.Config) -> None:
    """Splits the CPU in two, for strategies of two replicas, where tests run."""
    only_distributes = config.getoption("numprocesses", default=None)
    if os.environ["KERAS_BACKEND"] != "tensorflow" or only_distributes:
        return
    import tensorflow as tf

    cpu = tf.config.list_physical_devices("CPU")[0]
    halves = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(cpu, halves)


# Their docstrings are of one text, which the smaller builders' examples run too.
LARGE = ("_B", "_L", "_H", "_Distilled", "36", "48", "M24", "16GF")


@pytest.hookimpl(tryfirst=True)  # before `-m` chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leaves the examples of the larger builders, a minute of them, to `make slow`."""
    for item in items:
        if item.name.startswith("keras_cait.models.builders.") and item.name.endswith(
            LARGE
        ):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(autouse=True)
def seed() -> None:
    import keras

    keras.utils.set_random_seed(0)


@pytest.fixture(scope="session")
def run(tmp_path_factory) -> SimpleNamespace:
    """The main recipe, started once as a person starts it, for all who look at it.

    `folder` holds build/distill; `stdout` and `stderr` are what it printed.
    """
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    folder = shared / "recipe_run"
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            folder.mkdir()
            recipe = [sys.executable, ROOT / "recipes" / "distill_deit.py"]
            size = ["--limit=200", "--epochs=2", "--teacher-epochs=15"]
            output = ["--batch-size=16", "--output=build/distill"]
            with (
                open(folder / "stdout", "w") as stdout,
                open(folder / "stderr", "w") as stderr,
            ):
                subprocess.run(
                    [*recipe, *size, *output],
                    cwd=folder,
                    env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"},
                    stdout=stdout,
                    stderr=stderr,
                    check=False,
                )
    printed = {name: (folder / name).read_text() for name in ("stdout", "stderr")}
    assert (folder / "build/distill/student.keras").exists(), printed["stderr"]
    return SimpleNamespace(folder=folder, **printed)
