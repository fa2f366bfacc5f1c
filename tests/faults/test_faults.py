"""Killed and terminated runs, resumed, end with the bits of an uninterrupted run."""

import random
import re
import signal
import subprocess
import time

import pytest

from tests.support.training.interrupted_runs import (
    DISTIL,
    TRAIN,
    assert_same_bits,
    exit_code_after_signal,
    run_recipe,
    start_recipe,
    stderr_after_signal,
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Folder of an uninterrupted run."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    run_recipe(TRAIN, folder)
    return folder


def test_a_killed_run_resumes_to_the_same_bits(whole, tmp_path):
    code = exit_code_after_signal(
        start_recipe(TRAIN, tmp_path), signal.SIGKILL, checkpoint=tmp_path
    )
    assert code == -signal.SIGKILL
    assert not (tmp_path / "model.keras").exists()
    run_recipe(TRAIN, tmp_path, "--resume")
    for name in ("model.keras", "model_ema.keras"):
        assert_same_bits(whole / name, tmp_path / name)
    log = "history.csv"
    assert (tmp_path / log).read_text() == (whole / log).read_text()


@pytest.mark.faults
@pytest.mark.parametrize(
    ("number", "code", "why"),
    [(signal.SIGTERM, 143, "terminated"), (signal.SIGINT, 130, "interrupted")],
)
def test_a_terminated_run_resumes_to_the_same_bits(number, code, why, whole, tmp_path):
    process = start_recipe(TRAIN, tmp_path)
    err = stderr_after_signal(process, number, checkpoint=tmp_path)
    assert process.returncode == code, err
    line = rf"^error: {why}: model is (saved at step \d+|being evaluated)\. .* --resume"
    assert re.search(line, err, re.MULTILINE), err
    assert "Traceback" not in err
    second = start_recipe(TRAIN, tmp_path)  # with neither --resume nor --overwrite
    _, err = second.communicate()
    assert second.returncode == 2
    assert "--resume" in err
    run_recipe(TRAIN, tmp_path, "--resume")
    assert_same_bits(whole / "model.keras", tmp_path / "model.keras")


@pytest.mark.faults
def test_a_second_run_in_one_folder_is_refused(tmp_path):
    first = start_recipe(TRAIN, tmp_path, "--epochs", "1000")
    while not (tmp_path / "config.json").exists():
        assert first.poll() is None
    second = start_recipe(TRAIN, tmp_path, "--resume")
    _, err = second.communicate()
    assert second.returncode == 2, err
    assert "another process writes" in err
    assert exit_code_after_signal(first, signal.SIGTERM) == 143


@pytest.mark.faults
@pytest.mark.parametrize(
    ("flags", "named"),
    [
        (["--seed", "1"], "seed: 0 there, 1 here"),
        (["--model", "embed_dim=8,depth=2,num_heads=2,patch_size=4"], "model: "),
        (["--limit", "32"], "limit: 64 there, 32 here"),
    ],
)
def test_resuming_with_other_settings_is_refused(flags, named, whole):
    process = start_recipe(TRAIN, whole, "--resume", *flags)
    _, err = process.communicate()
    assert process.returncode == 2
    assert named in err


@pytest.mark.faults
def test_runs_killed_at_twenty_random_moments_resume_to_the_same_bits(tmp_path):
    """Distillation; each process resumes the one before, until a run is complete."""
    started = time.perf_counter()
    process = start_recipe(DISTIL, tmp_path / "whole")
    process.communicate()
    lasts = time.perf_counter() - started
    assert process.returncode == 0
    moments = random.Random(0)
    kills, folder = 0, tmp_path / "0"
    while kills < 20:
        process = start_recipe(DISTIL, folder, "--resume")
        try:
            _, err = process.communicate(timeout=moments.uniform(0.3, 1) * lasts)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            kills += 1
            continue
        assert process.returncode == 0, err
        assert_same_run(tmp_path / "whole", folder)
        folder = tmp_path / str(kills)
    run_recipe(DISTIL, folder, "--resume")
    assert_same_run(tmp_path / "whole", folder)


def assert_same_run(folder, other):
    for name in ("student.keras", "student_ema.keras", "teacher.keras"):
        assert_same_bits(folder / name, other / name)
    assert (folder / "history.csv").read_text() == (other / "history.csv").read_text()
