"""Full disks and damaged checkpoints end runs in one line."""

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
    """A small file system in memory."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a file system")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.mark.faults
def test_a_disk_that_fills_up_ends_the_run_which_resumes_with_room(disk, tmp_path):
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
def test_too_little_room_is_refused_before_training(disk):
    system = os.statvfs(disk)
    (disk / "full").write_bytes(bytes(system.f_bavail * system.f_frsize - 2**15))
    process = start_recipe(TRAIN, disk / "run")
    _, err = process.communicate()
    assert process.returncode == 2, err
    assert "Make room and start again" in err
    (disk / "full").unlink()
    run_recipe(TRAIN, disk / "run")


@pytest.mark.faults
def test_damaged_checkpoints_are_refused_and_kept(tmp_path):
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
