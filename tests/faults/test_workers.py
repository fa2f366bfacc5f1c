"""Recipes on two workers: one folder, one log, and both resume after a kill."""

import json
import signal

import keras
import numpy as np
import pytest

from tests.support.training.cluster_processes import ended, start_workers
from tests.support.training.interrupted_runs import (
    STUDENT,
    exit_code_after_signal,
    run_recipe,
)

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="tf.distribute"
)

# AdamW turns rounding errors into more than 1e-5 where a gradient should be zero; and
# stochastic depth draws for the images of a worker.
FLAGS = [
    *("--dataset", "digits", "--limit", "64", "--batch-size", "8", "--epochs", "3"),
    *("--warmup-epochs", "1", "--ema", "0.9", "--checkpoint-steps", "3"),
    *("--mixup", "0.8", "--cutmix", "1.0", "--drop-path-rate", "0"),
    *("--optimizer", "sgd", "--learning-rate", "0.05", "--worker-timeout", "60"),
]
TRAIN = ["recipes.train_deit", "--model", STUDENT, *FLAGS]


def start(folder, *flags, others=()):
    """Starts two workers; `others` are further flags of the second."""
    command = ["-m", *TRAIN, "--output", folder, *flags]
    return start_workers(command, [*command, *others])


def assert_close_runs(folder, other):
    """Weights, and the log of losses on training and test images."""
    for name in ("model.keras", "model_ema.keras"):
        weights, others = (
            keras.saving.load_model(path / name, compile=False).get_weights()
            for path in (folder, other)
        )
        for one, two in zip(weights, others, strict=True):
            np.testing.assert_allclose(one, two, atol=1e-5)
    logs = [(path / "history.csv").read_text().splitlines() for path in (folder, other)]
    for row, same in zip(*logs, strict=True):
        for value, twin in zip(row.split(","), same.split(","), strict=True):
            if value != twin:
                assert float(value) == pytest.approx(float(twin), abs=1e-5)


def assert_both_resume(start, folder):
    """Kills one in the middle of an epoch; the other ends in one line; both resume."""
    first, second = start(folder)
    assert (
        exit_code_after_signal(second, signal.SIGKILL, checkpoint=folder)
        == -signal.SIGKILL
    )
    lost = ended(first)
    assert lost.code == 75, lost.stderr
    assert "worker 1, localhost:" in lost.stderr
    assert "Traceback" not in lost.stderr
    assert list(folder.glob("checkpoints/*/step-*[1-7].safetensors"))
    found = [ended(worker) for worker in start(folder, "--resume")]
    assert [worker.code for worker in found] == [0, 0], found
    lines = found[1].stdout.splitlines()  # on JAX, Gloo prints its connections there
    assert not [line for line in lines if "[Gloo]" not in line]
    assert json.loads(found[0].stdout.splitlines()[-1])["accuracy"] >= 0


def test_two_workers_train_like_one(tmp_path):
    run_recipe(TRAIN, tmp_path / "one")
    found = [ended(worker) for worker in start(tmp_path / "two")]
    assert [worker.code for worker in found] == [0, 0], found
    assert_close_runs(tmp_path / "one", tmp_path / "two")


@pytest.mark.faults
def test_a_killed_worker_ends_the_other_and_both_resume(tmp_path):
    run_recipe(TRAIN, tmp_path / "one")
    assert_both_resume(start, tmp_path / "two")
    assert_close_runs(tmp_path / "one", tmp_path / "two")


@pytest.mark.faults
@pytest.mark.parametrize("index", [0, 1])
def test_sigterm_to_one_worker_saves_the_step_on_both(index, tmp_path):
    long = ("--epochs", "20")  # long enough not to end before the signal
    run_recipe(TRAIN, tmp_path / "one", *long)
    folder = tmp_path / "two"
    workers = start(folder, *long, "--checkpoint-steps", "1000")
    # The checkpoint is of the end of an epoch; the signal arrives in the next one.
    assert (
        exit_code_after_signal(workers[index], signal.SIGTERM, checkpoint=folder) == 143
    )
    other = ended(workers[1 - index])
    assert other.code == 143, other.stderr
    assert "is saved at step" in other.stderr
    found = [ended(worker) for worker in start(folder, *long, "--resume")]
    assert [worker.code for worker in found] == [0, 0], found
    assert_close_runs(tmp_path / "one", folder)


@pytest.mark.faults
def test_different_settings_are_refused_on_both(tmp_path):
    for worker in map(ended, start(tmp_path, others=("--seed", "1"))):
        assert worker.code == 2, worker.stderr
        assert "All workers must have the same settings" in worker.stderr
        assert "Traceback" not in worker.stderr


def assert_refused(workers, message):
    """At least one prints its error; it may end the other before."""
    found = [ended(worker) for worker in workers]
    assert {worker.code for worker in found} <= {2, 75}, found
    errors = [worker.stderr for worker in found if worker.code == 2]
    assert errors
    for text in errors:
        assert message in text
        assert "Traceback" not in text


@pytest.mark.faults
def test_cached_logits_on_two_workers_are_refused(tmp_path):
    flags = ("--student", STUDENT, *FLAGS, "--output", tmp_path / "run")
    recipe = ["-m", "recipes.distill_deit", *flags]
    command = [*recipe, "--teacher-logits", tmp_path / "logits"]
    assert_refused(start_workers(command, command), "whole batches")
    assert not list(tmp_path.iterdir())


@pytest.mark.faults
def test_workers_without_a_shared_folder_are_refused(tmp_path):
    first, second = start(tmp_path / "mine")
    assert (
        exit_code_after_signal(first, signal.SIGKILL, checkpoint=tmp_path / "mine")
        == -signal.SIGKILL
    )
    ended(second)
    others = ("--resume", "--output", tmp_path / "other")
    for worker in map(ended, start(tmp_path / "mine", "--resume", others=others)):
        assert worker.code == 2, worker.stderr
        assert "same checkpoint of model" in worker.stderr


@pytest.mark.faults
def test_an_existing_run_ends_both_workers(tmp_path):
    (tmp_path / "model.keras").write_text("precious")
    first, second = map(ended, start(tmp_path))
    assert first.code == 2
    assert "must not hold a run already" in first.stderr
    assert second.code == 75
    assert (tmp_path / "model.keras").read_text() == "precious"


@pytest.mark.faults
def test_a_missing_worker_ends_the_other_after_the_timeout(tmp_path):
    command = ["-m", *TRAIN, "--output", tmp_path / "run", "--worker-timeout", "3"]
    first, second = start_workers(command, ["-c", ""])
    ended(second)
    found = ended(first)
    assert found.code == 2
    assert "Received no answer from localhost:" in found.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.faults
def test_a_teacher_with_batch_norm_is_as_accurate_on_two_workers(tmp_path):
    """It is trained there, and then used for another student."""
    flags = ["--student", STUDENT, *FLAGS, "--no-baseline"]
    flags += ["--limit", "400", "--batch-size", "40"]
    training = ["--teacher-epochs", "8", "--teacher-learning-rate", "0.05"]
    saved = ["--teacher", tmp_path / "1" / "teacher.keras", "--output", tmp_path / "2"]
    recipe = ["-m", "recipes.distill_deit", *flags]
    accuracies = []
    for command in (
        [*recipe, *training, "--output", tmp_path / "1"],
        [*recipe, *saved, "--distillation", "none"],
    ):
        found = [ended(worker) for worker in start_workers(command, command)]
        assert [worker.code for worker in found] == [0, 0], found
        results = json.loads(found[0].stdout.splitlines()[-1])
        accuracies.append(results["teacher_accuracy"])
    # The first is computed on both workers, the second on the saved model.
    assert accuracies[0] == pytest.approx(accuracies[1])
