"""Two workers train as one does: real processes, which talk over loopback."""

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
    environment,
    free_ports,
    run_workers,
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
    """The losses of each step and epoch, on training and test images; all weights."""
    with np.load(one) as expected, np.load(two) as found:
        logs = [json.loads(str(each["log"])) for each in (expected, found)]
        for name in expected.files:
            if name != "log":
                np.testing.assert_allclose(found[name], expected[name], atol=1e-5)
    assert logs[0]["losses"] == pytest.approx(logs[1]["losses"], abs=1e-5)
    assert len(logs[0]["epochs"]) == len(logs[1]["epochs"]) == 2
    for row, other in zip(*(log["epochs"] for log in logs), strict=True):
        assert row == pytest.approx(other, abs=1e-5)


def assert_told(ended, lost):
    """The other worker is, in one line, who is gone."""
    assert ended.code == 75, ended.stderr
    expected = f"worker {lost}, .*, is gone, and worker {1 - lost}, .*, cannot go on"
    assert re.search(expected, ended.stderr)
    assert "Traceback" not in ended.stderr


@pytest.mark.slow  # tests/faults/test_workers.py does it with a recipe
def test_two_workers_agree_with_one_until_one_dies(tmp_path):
    one, two = str(tmp_path / "one.npz"), str(tmp_path / "two.npz")
    train(output=one, strategy="single")
    options = {"output": two}
    ended = run_workers({**options, "fault": "none"}, {**options, "fault": "dies"})
    assert ended[1].code == -9, ended[1].stderr
    assert_told(ended[0], lost=1)
    assert "Warning" not in ended[0].stderr
    assert_same(one, two)


@pytest.mark.slow
@pytest.mark.parametrize("options", OPTIONS)
def test_one_and_two_workers_agree(options, tmp_path):
    one, two = str(tmp_path / "one.npz"), str(tmp_path / "two.npz")
    train(**options, output=one, strategy="single")
    options = {**options, "output": two}
    for ended in run_workers(options, options):
        assert ended.code == 0, ended.stderr
        assert "Warning" not in ended.stderr
    assert_same(one, two)


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["dies", "fails"])
@pytest.mark.parametrize("index", [0, 1])
def test_a_worker_ends_the_other(index, fault):
    options = [{"fault": "none"}, {"fault": "none"}]
    options[index] = {"fault": fault}
    ended = run_workers(*options)
    assert ended[index].code == {"dies": -9, "fails": 1}[fault]
    if fault == "fails":
        assert "RuntimeError: worker failed" in ended[index].stderr
    assert_told(ended[1 - index], lost=index)


@pytest.mark.slow
def test_a_worker_that_stands_ends_the_other():
    ended = run_workers({"fault": "none"}, {"fault": "stops"})
    assert ended[0].code == 75, ended[0].stderr
    assert "a worker does not answer, and worker 0" in ended[0].stderr
    assert "task:1" in ended[0].stderr
    assert "Traceback" not in ended[0].stderr


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
def test_a_worker_that_is_not_there(index):
    ports = free_ports(2)
    ended = run_alone(
        "-m",
        "tests.support.training.worker",
        '{"timeout": 1}',
        index=index,
        ports=ports,
    )
    assert ended.returncode == 1
    assert f"no answer from localhost:{ports[1 - index]}" in ended.stderr


@pytest.mark.slow
def test_a_batch_that_two_workers_do_not_divide():
    for ended in run_workers({"batch_size": 10}, {"batch_size": 10}):
        refused = ended.code == 1 and "batch_size=10. Take 8 or 12" in ended.stderr
        assert refused or ended.code == 75  # the other one was faster


@pytest.mark.slow
def test_too_late_for_many_workers():
    """TensorFlow takes no workers once it computes; waiting for them would be vain."""
    ended = run_alone(
        "-c",
        "import tensorflow as tf; tf.constant(1)\n"
        "from keras_cait.training.devices.strategy import make_strategy\n"
        "make_strategy('auto')",
    )
    assert ended.returncode == 1
    assert "before TensorFlow computes anything" in ended.stderr
