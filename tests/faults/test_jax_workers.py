"""On JAX, a recipe on two workers logs and trains like one, also after a kill."""

import signal

import pytest

from tests.faults.test_workers import (
    TRAIN,
    assert_both_resume,
    assert_close_runs,
    assert_refused,
)
from tests.support.training.cluster_processes import ended, start_workers
from tests.support.training.interrupted_runs import exit_code_after_signal
from tests.training.devices.test_jax_workers import ON_JAX


def start(folder, *flags, number=2):
    command = ["-m", *TRAIN, "--output", folder, *flags]
    return start_workers(*[command] * number, **ON_JAX)


@pytest.mark.faults
def test_a_killed_worker_ends_the_other_and_both_resume(tmp_path):
    (one,) = map(ended, start(tmp_path / "one", number=1))
    assert one.code == 0, one.stderr
    assert_both_resume(start, tmp_path / "two")
    assert_close_runs(tmp_path / "one", tmp_path / "two")


@pytest.mark.faults
def test_sigterm_to_one_worker_saves_the_step_on_both(tmp_path):
    long = ("--epochs", "60", "--checkpoint-steps", "1000")
    workers = start(tmp_path, *long)
    assert (
        exit_code_after_signal(workers[1], signal.SIGTERM, checkpoint=tmp_path) == 143
    )
    other = ended(workers[0])
    assert other.code == 143, other.stderr
    assert "is saved at step" in other.stderr


@pytest.mark.faults
def test_no_jit_on_two_workers_is_refused(tmp_path):
    assert_refused(start(tmp_path / "run", "--no-jit"), "cannot do together")
    assert not list(tmp_path.iterdir())
