"""Two workers train as one does, in processes connected over loopback."""

import json
import re
import subprocess
import sys

import keras
import numpy as np
import pytest

from tests.support.training.cluster_processes import (
    LONGEST,
    ROOT,
    ended,
    environment,
    free_ports,
    run_workers,
    start_workers,
)
from tests.support.training.worker import train

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="tf.distribute"
)

OPTIONS = [
    {"mixed": False, "optimizer": "adamw"},
    {"jit_compile": True},
    {"batch_size": 40},
]


def assert_same(one, two):
    """Compares the losses of each step and epoch, and all weights."""
    with np.load(one) as expected, np.load(two) as found:
        logs = [json.loads(str(each["log"])) for each in (expected, found)]
        for name in expected.files:
            if name != "log":
                np.testing.assert_allclose(found[name], expected[name], atol=1e-5)
    assert logs[0]["losses"] == pytest.approx(logs[1]["losses"], abs=1e-5)
    assert len(logs[0]["epochs"]) == len(logs[1]["epochs"]) == 2
    for row, other in zip(*(log["epochs"] for log in logs), strict=True):
        assert row == pytest.approx(other, abs=1e-5)


def assert_lost(found, lost, reason="is gone or does not answer"):
    """The other worker has ended in one line that names the lost one."""
    assert found.code == 75, found.stderr
    expected = f"worker {lost}, .*, {reason}, and worker {1 - lost}, .*, cannot go on"
    assert re.search(expected, found.stderr)
    assert "Traceback" not in found.stderr


@pytest.mark.slow  # tests/faults/test_workers.py does it with a recipe
def test_two_workers_agree_with_one_until_one_dies(tmp_path):
    one, two = str(tmp_path / "one.npz"), str(tmp_path / "two.npz")
    train(output=one, strategy="single")
    options = {"output": two}
    found = run_workers({**options, "fault": "none"}, {**options, "fault": "dies"})
    assert found[1].code == -9, found[1].stderr
    assert_lost(found[0], lost=1)
    assert "Warning" not in found[0].stderr
    assert_same(one, two)


@pytest.mark.slow
@pytest.mark.parametrize("options", OPTIONS)
def test_one_and_two_workers_agree(options, tmp_path):
    one, two = str(tmp_path / "one.npz"), str(tmp_path / "two.npz")
    train(**options, output=one, strategy="single")
    options = {**options, "output": two}
    for each in run_workers(options, options):
        assert each.code == 0, each.stderr
        assert "Warning" not in each.stderr
    assert_same(one, two)


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["dies", "fails"])
@pytest.mark.parametrize("index", [0, 1])
def test_a_killed_or_failed_worker_ends_the_other(index, fault):
    options = [{"fault": "none"}, {"fault": "none"}]
    options[index] = {"fault": fault}
    found = run_workers(*options)
    assert found[index].code == {"dies": -9, "fails": 1}[fault]
    if fault == "fails":
        assert "RuntimeError: worker failed" in found[index].stderr
    assert_lost(found[1 - index], lost=index)


@pytest.mark.slow
@pytest.mark.parametrize("index", [0, 1])
def test_a_stopped_worker_ends_the_other(index):
    commands = [["-m", "tests.support.training.worker", '{"fault": "none"}']] * 2
    commands[index] = ["-m", "tests.support.training.worker", '{"fault": "stops"}']
    assert_lost(ended_beside_stopped(commands, index), lost=index)


def ended_beside_stopped(commands, index, **changed):
    """How the other worker ends; the one that has stopped is killed then."""
    workers = start_workers(*commands, **changed)
    found = ended(workers[1 - index])
    workers[index].kill()
    ended(workers[index])
    return found


def run_alone(*command, index=0, ports=None):
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=environment(ports or free_ports(2), index),
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize("index", [0, 1])
def test_a_missing_worker_is_named_after_the_timeout(index):
    ports = free_ports(2)
    found = run_alone(
        "-m",
        "tests.support.training.worker",
        '{"timeout": 1}',
        index=index,
        ports=ports,
    )
    assert found.returncode == 1
    assert f"no answer from localhost:{ports[1 - index]}" in found.stderr


@pytest.mark.slow
def test_a_batch_size_that_workers_cannot_share_is_refused():
    for each in run_workers({"batch_size": 10}, {"batch_size": 10}):
        assert each.code == 1, each.stderr
        assert "batch_size=10. Take 8 or 12" in each.stderr


@pytest.mark.slow
def test_a_strategy_made_after_tensorflow_has_started_is_refused():
    """TensorFlow accepts no workers once it has computed something."""
    found = run_alone(
        "-c",
        "import tensorflow as tf; tf.constant(1)\n"
        "from keras_cait.training.devices.strategy import make_strategy\n"
        "make_strategy('auto')",
    )
    assert found.returncode == 1
    assert "before TensorFlow computes anything" in found.stderr
