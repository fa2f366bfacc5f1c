"""Training on JAX: two workers, and two devices of one, do what one device does."""

import json
import os
import re
import subprocess
import sys

import pytest

from tests.support.training.cluster_processes import (
    LONGEST,
    ROOT,
    ended,
    run_workers,
    start_workers,
)
from tests.training.devices.test_two_workers import assert_same, assert_told

pytestmark = pytest.mark.slow  # one on TensorFlow runs anyway
ON_JAX = {
    "KERAS_BACKEND": "jax",
    "JAX_PLATFORMS": "cpu",
    "XLA_FLAGS": "--xla_backend_optimization_level=0",  # compiles sooner
}


def run_one(**options):
    """In a process of its own: this one may have another backend."""
    command = [
        sys.executable,
        "-m",
        "tests.support.training.worker",
        json.dumps(options),
    ]
    environment = {**os.environ, **ON_JAX}
    environment.pop("TF_CONFIG", None)
    subprocess.run(command, cwd=ROOT, env=environment, check=True, timeout=LONGEST)


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    """What one device logs and learns."""
    path = str(tmp_path_factory.mktemp("one") / "one.npz")
    run_one(output=path, strategy="single")
    return path


def test_two_workers_agree_with_one_until_one_dies(one, tmp_path):
    two = str(tmp_path / "two.npz")
    options = {"output": two}
    faults = ({**options, "fault": "none"}, {**options, "fault": "dies"})
    ended = run_workers(*faults, **ON_JAX)
    assert ended[1].code == -9, ended[1].stderr
    assert_told(ended[0], lost=1)
    assert_same(one, two)


@pytest.mark.parametrize("index", [0, 1])
def test_a_worker_that_stands_ends_the_other(index):
    """Before JAX aborts the process, which it does after 100 s of silence."""
    commands = [["-m", "tests.support.training.worker", '{"fault": "none"}']] * 2
    commands[index] = ["-m", "tests.support.training.worker", '{"fault": "stops"}']
    workers = start_workers(*commands, **ON_JAX)
    found = ended(workers[1 - index])
    workers[index].kill()
    ended(workers[index])
    assert found.code == 75, found.stderr
    expected = f"error: worker {index}, localhost:\\d+, does not answer, and worker"
    assert re.search(expected, found.stderr)
    assert "Traceback" not in found.stderr


def test_two_devices_agree_with_one(one, tmp_path):
    two = str(tmp_path / "two.npz")
    run_one(output=two, strategy="mirrored:2")
    assert_same(one, two)


def test_two_workers_of_two_devices_agree_with_one(one, tmp_path):
    two = str(tmp_path / "two.npz")
    flags = ON_JAX["XLA_FLAGS"] + " --xla_force_host_platform_device_count=2"
    found = run_workers(*[{"output": two}] * 2, **(ON_JAX | {"XLA_FLAGS": flags}))
    assert [worker.code for worker in found] == [0, 0], found
    assert_same(one, two)


@pytest.mark.parametrize("index", [0, 1])
def test_a_worker_that_fails_ends_the_other(index):
    options = [{"fault": "none"}, {"fault": "none"}]
    options[index] = {"fault": "fails"}
    ended = run_workers(*options, **ON_JAX)
    assert ended[index].code == 1
    assert_told(ended[1 - index], lost=index)
