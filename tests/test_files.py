"""Files that are written completely or not at all."""

import contextlib
import os
import stat
import subprocess
import sys

import numpy as np
import pytest
from safetensors.numpy import save_file

import keras_cait
from keras_cait import files
from keras_cait.files import replace_when_written, sweep_leftovers
from keras_cait.weights.timm import checkpoints as timm_files
from tests.support.models.tiny_models import tiny_deit


def write(path, text):
    with replace_when_written(path) as temporary:
        temporary.write_text(text)


def fail_halfway(path):
    with replace_when_written(path) as temporary:
        temporary.write_text("half")
        raise OSError("disk full")


def test_a_written_file_appears(tmp_path):
    write(tmp_path / "new" / "a.weights.h5", "whole")
    assert (tmp_path / "new" / "a.weights.h5").read_text() == "whole"
    assert os.listdir(tmp_path / "new") == ["a.weights.h5"]


def test_an_old_file_is_replaced(tmp_path):
    write(tmp_path / "a.txt", "old")
    write(tmp_path / "a.txt", "new")
    assert (tmp_path / "a.txt").read_text() == "new"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_the_file_appears_when_it_is_complete(tmp_path):
    path = tmp_path / "a.weights.h5"
    with replace_when_written(path) as temporary:
        assert temporary.name == path.name  # writers go by the suffixes
        temporary.write_text("whole")
        assert not path.exists()
    assert path.exists()


def test_after_an_error_nothing_appears(tmp_path):
    with pytest.raises(OSError, match="disk full"):
        fail_halfway(tmp_path / "a.txt")
    assert os.listdir(tmp_path) == []


def test_after_an_error_no_new_folder_remains(tmp_path):
    (tmp_path / "there").mkdir()
    with pytest.raises(OSError, match="disk full"):
        fail_halfway(tmp_path / "there" / "new" / "newer" / "a.txt")
    assert os.listdir(tmp_path) == ["there"]
    assert os.listdir(tmp_path / "there") == []


def test_after_an_error_the_old_file_remains(tmp_path):
    write(tmp_path / "a.txt", "old")
    with pytest.raises(OSError, match="disk full"):
        fail_halfway(tmp_path / "a.txt")
    assert (tmp_path / "a.txt").read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_failed_save_of_weights_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "model.safetensors"
    path.write_text("old")

    def save_half(tensors, target, **_):
        target.write_text("half")
        raise OSError("disk full")

    monkeypatch.setattr(timm_files, "save_file", save_half)
    with pytest.raises(OSError, match="disk full"):
        keras_cait.save_timm_weights(tiny_deit(depth=1), path)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["model.safetensors"]


@pytest.fixture(params=[0o022, 0o027], ids=oct)
def umask(request):
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def save_private(path):
    """Writes a file as `tempfile.mkstemp` does, for its owner alone."""
    path.touch(mode=0o600)


def save_safetensors(path):
    save_file({"weight": np.zeros(3)}, path)


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("save", [save_private, save_safetensors])
def test_a_file_has_the_permissions_of_a_new_one(save, umask, tmp_path):
    path = tmp_path / "new" / "a.safetensors"
    with replace_when_written(path) as temporary:
        save(temporary)
    assert mode_of(path) == 0o666 & ~umask
    assert mode_of(path.parent) == 0o777 & ~umask


def test_files_of_a_folder_have_the_permissions_of_new_ones(umask, tmp_path):
    path = tmp_path / "folder"
    with replace_when_written(path) as temporary:
        (temporary / "inner").mkdir(parents=True)
        save_private(temporary / "inner" / "file")
    assert mode_of(path) == mode_of(path / "inner") == 0o777 & ~umask
    assert mode_of(path / "inner" / "file") == 0o666 & ~umask


# Runs without TensorFlow, which importing the package would start.
WRITES_AND_WAITS = """
import pathlib, runpy, sys

files = runpy.run_path(sys.argv[1])
with files["replace_when_written"](pathlib.Path(sys.argv[2])) as temporary:
    temporary.write_text("half")
    print("writing", flush=True)
    sys.stdin.read()
"""


@contextlib.contextmanager
def another_process_writing(path):
    """A process in the middle of writing a file, killed in the end."""
    command = [sys.executable, "-c", WRITES_AND_WAITS, files.__file__, str(path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "writing\n"
        yield process
        process.kill()


def test_leftovers_of_a_killed_process_are_removed_at_the_next_write(tmp_path):
    with another_process_writing(tmp_path / "a.txt"):
        pass
    assert len(os.listdir(tmp_path)) == 1
    write(tmp_path / "b.txt", "whole")
    assert os.listdir(tmp_path) == ["b.txt"]


def test_a_file_that_another_process_writes_is_kept(tmp_path):
    with another_process_writing(tmp_path / "a.txt") as process:
        sweep_leftovers(tmp_path)
        write(tmp_path / "b.txt", "whole")
        process.communicate("")  # lets it finish
        assert process.returncode == 0
    assert (tmp_path / "a.txt").read_text() == "half"
    assert sorted(os.listdir(tmp_path)) == ["a.txt", "b.txt"]


def test_a_file_that_this_process_writes_is_kept(tmp_path):
    with replace_when_written(tmp_path / "a.txt") as temporary:
        write(tmp_path / "b.txt", "whole")
        temporary.write_text("whole")
    assert sorted(os.listdir(tmp_path)) == ["a.txt", "b.txt"]


def test_a_folder_of_a_similar_name_is_kept(tmp_path):
    (tmp_path / ".writing-notes").mkdir()
    (tmp_path / ".writing-notes" / "chapter").touch()
    sweep_leftovers(tmp_path)
    sweep_leftovers(tmp_path / "nowhere")
    assert os.listdir(tmp_path) == [".writing-notes"]
    assert os.listdir(tmp_path / ".writing-notes") == ["chapter"]
