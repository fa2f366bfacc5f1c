"""Runs whose disk is full, or whose checkpoints are damaged, in real processes."""

import os
import signal
import subprocess
import time

import pytest

from tests.support.training.interrupted_runs import (
    TRAIN,
    assert_same_bits,
    exit_code_after_signal,
    run_recipe,
    start_recipe,
)


@pytest.fixture
def disk(tmp_path):
    """A small file system of its own, in memory."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a file system")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.mark.faults
def test_a_disk_that_fills_up(disk, tmp_path):
    """Ends the run in one line; with room again it goes on, to the same bits."""
    run_recipe(TRAIN, tmp_path / "whole")
    process = start_recipe(TRAIN, disk / "run")
    while not list(disk.glob("run/checkpoints/*/step-*[1-9]*")):
        assert process.poll() is None
        time.sleep(0.01)
    system = os.statvfs(disk)
    (disk / "full").write_bytes(bytes(system.f_bavail * system.f_frsize))
    _, err = process.communicate()
    assert process.returncode == 2, err
    assert "error: A run must be able to write its files. Received: " in err
    assert "No space left on device" in err
    assert "Traceback" not in err
    assert not list(disk.rglob(".writing-*"))
    (disk / "full").unlink()
    run_recipe(TRAIN, disk / "run", "--resume")
    assert_same_bits(tmp_path / "whole" / "model.keras", disk / "run" / "model.keras")


@pytest.mark.faults
def test_too_little_room_is_said_before(disk):
    """And the same command works once there is more."""
    system = os.statvfs(disk)
    (disk / "full").write_bytes(bytes(system.f_bavail * system.f_frsize - 2**15))
    process = start_recipe(TRAIN, disk / "run")
    _, err = process.communicate()
    assert process.returncode == 2, err
    assert "Make room and start again" in err
    (disk / "full").unlink()
    run_recipe(TRAIN, disk / "run")


@pytest.mark.faults
def test_checkpoints_that_are_all_damaged(tmp_path):
    """End the run in one line, and nothing is begun anew."""
    exit_code_after_signal(
        start_recipe(TRAIN, tmp_path), signal.SIGKILL, checkpoint=tmp_path
    )
    paths = list(tmp_path.glob("checkpoints/*/step-*"))
    for path in paths:
        path.write_bytes(path.read_bytes()[:-1])
    before = {path: path.read_bytes() for path in paths}
    process = start_recipe(TRAIN, tmp_path, "--resume")
    _, err = process.communicate()
    assert process.returncode == 2, err
    (line,) = [line for line in err.splitlines() if line.startswith("error: ")]
    for path in paths:
        assert str(path) in line
    assert "--overwrite" in line
    assert {path: path.read_bytes() for path in paths} == before
