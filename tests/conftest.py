"""Settings that must stand before anything imports Keras."""

import gc
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from filelock import FileLock

from tests.support.graphs import optimize_graphs

ROOT = Path(__file__).parents[1]

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


# `make quick`: one case of each test of these folders that starts no process and does
# not call fit().
QUICK = {"layers", "weights", "models", "data", "distillation"}
STARTS_PROCESSES = ("subprocess", "run_on_jax")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--quick", action="store_true", help="what `make quick` runs")


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    if not config.getoption("--quick"):
        return
    chosen: dict[str, pytest.Item] = {}
    for item in items:
        module = vars(getattr(item, "module", item))
        folders = item.path.relative_to(ROOT / "tests").parts[:-1]
        if not QUICK & {*folders[:1]} or "fit" in folders:
            continue
        if not any(name in module for name in STARTS_PROCESSES):
            chosen.setdefault(item.nodeid.partition("[")[0], item)
    kept = list(chosen.values())
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept


def pytest_configure(config: pytest.Config) -> None:
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # Shells ignore Ctrl-C for what runs in the background, and tests send it.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    _set_up_tensorflow(config)


def pytest_collection_finish() -> None:
    gc.freeze()  # what is imported stays: collecting garbage need not look at it
    gc.set_threshold(100_000, 20, 50)  # tests make many objects, and most of them stay


def _set_up_tensorflow(config: pytest.Config) -> None:
    """Makes two devices of the processor, for strategies of two replicas."""
    only_distributes = config.getoption("numprocesses", default=None)
    if os.environ["KERAS_BACKEND"] != "tensorflow" or only_distributes:
        return
    import tensorflow as tf

    cpu = tf.config.list_physical_devices("CPU")[0]
    halves = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(cpu, halves)
    optimize_graphs(False)


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
            # One block of the four: most of the time goes into compiling them.
            size += ["--student=embed_dim=64,depth=1,num_heads=4,patch_size=4"]
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
