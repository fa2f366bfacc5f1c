import os

import pytest

import keras_cait
from keras_cait.files import replace_when_written
from keras_cait.weights import timm_files
from tests.models.samples import tiny_deit


def write(path, text):
    with replace_when_written(path) as temporary:
        temporary.write_text(text)


def fail_halfway(path):
    with replace_when_written(path) as temporary:
        temporary.write_text("half")
        raise OSError("disk full")


def test_writes_a_file(tmp_path):
    write(tmp_path / "new" / "a.weights.h5", "whole")
    assert (tmp_path / "new" / "a.weights.h5").read_text() == "whole"
    assert os.listdir(tmp_path / "new") == ["a.weights.h5"]


def test_replaces_a_file(tmp_path):
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


def test_weights_files_are_written_so(tmp_path, monkeypatch):
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
