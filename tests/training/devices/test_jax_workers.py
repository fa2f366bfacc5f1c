"""On JAX, two workers and two devices of one worker train as one device does."""

import json
import os
import subprocess
import sys

import pytest

from tests.support.training.cluster_processes import (
    LONGEST,
    ROOT,
    run_workers,
)
from tests.training.devices.test_two_workers import (
    assert_lost,
    assert_same,
    ended_beside_stopped,
)

pytestmark = pytest.mark.slow  # tests/faults/test_workers.py runs one on TensorFlow
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
    """Log and weights of a training on one device."""
    path = str(tmp_path_factory.mktemp("one") / "one.npz")
    run_one(output=path, strategy="single")
    return path


def test_two_workers_agree_with_one_until_one_dies(one, tmp_path):
    two = str(tmp_path / "two.npz")
    options = {"output": two}
    faults = ({**options, "fault": "none"}, {**options, "fault": "dies"})
    found = run_workers(*faults, **ON_JAX)
    assert found[1].code == -9, found[1].stderr
    assert_lost(found[0], lost=1, reason="is gone")
    assert_same(one, two)


@pytest.mark.parametrize("index", [0, 1])
def test_a_stopped_worker_ends_the_other(index):
    """Before JAX aborts the process, which it does after 100 s of silence."""
    commands = [["-m", "tests.support.training.worker", '{"fault": "none"}']] * 2
    commands[index] = ["-m", "tests.support.training.worker", '{"fault": "stops"}']
    found = ended_beside_stopped(commands, index, **ON_JAX)
    assert_lost(found, lost=index, reason="does not answer")


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
def test_a_failed_worker_ends_the_other(index):
    options = [{"fault": "none"}, {"fault": "none"}]
    options[index] = {"fault": "fails"}
    found = run_workers(*options, **ON_JAX)
    assert found[index].code == 1
    assert_lost(found[1 - index], lost=index, reason="is gone")
