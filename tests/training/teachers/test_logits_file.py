"""Teacher logits on disk are read back, or refused with a message."""

import json
import os
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
from safetensors.numpy import save_file

from keras_cait.training.teachers.logits_file import (
    fingerprint,
    open_logits,
    write_logits,
)

SHAPE = (5, 2, 3)


@pytest.fixture
def batches():
    rng = np.random.default_rng(0)
    images = rng.uniform(0, 255, (5, 2, 4, 4, 1)).astype("float32")
    logits = rng.normal(size=SHAPE).astype("float32")
    return [(logits[i], fingerprint(images[i]).numpy()) for i in range(5)]


@pytest.fixture
def path(tmp_path, batches):
    path = tmp_path / "logits.npy"
    write_logits(path, batches, shape=SHAPE, origin={"seed": 1, "name": "ä"})
    return path


@pytest.mark.parametrize("first_step", [0, 1, 4])
def test_written_logits_are_read_from_any_step(path, batches, first_step):
    file = open_logits(path)
    assert file.logits.shape == SHAPE
    assert file.origin == {"seed": 1, "name": "ä"}
    found = list(file.batches(first_step).as_numpy_iterator())
    assert len(found) == 5 - first_step
    for pair, expected in zip(found, batches[first_step:], strict=True):
        for one, other in zip(pair, expected, strict=True):
            np.testing.assert_array_equal(one, other)


def test_numpy_and_json_read_the_two_files(path, batches):
    logits = np.load(path)
    assert logits.dtype == "float32"
    np.testing.assert_array_equal(logits, [logits for logits, _ in batches])
    about = json.loads((path.parent / "logits.npy.json").read_text())
    expected = [images.tobytes().hex() for _, images in batches]
    assert about["fingerprints"] == expected


def test_one_changed_bit_changes_the_fingerprint():
    images = np.zeros((2, 4, 4, 1), "float32")
    before = fingerprint(images).numpy()
    np.testing.assert_array_equal(fingerprint(images.copy()), before)
    images[1, 3, 3, 0] = 1e-30
    assert not np.array_equal(fingerprint(images), before)


def cut(path):
    os.truncate(path, path.stat().st_size - 1)


def flip(path):
    content = bytearray(path.read_bytes())
    content[-50] ^= 1
    path.write_bytes(content)


def empty(path):
    path.write_bytes(b"")


def replace_with_safetensors(path):
    save_file({"logits": np.zeros(SHAPE, "float32")}, path)


def remove_json(path):
    path.with_name("logits.npy.json").unlink()


def cut_json(path):
    os.truncate(path.with_name("logits.npy.json"), 100)


def lose_a_fingerprint(path):
    json_path = path.with_name("logits.npy.json")
    about = json.loads(json_path.read_text())
    about["fingerprints"].pop()
    json_path.write_text(json.dumps(about))


def replace_json(path):
    path.with_name("logits.npy.json").write_text("[1]")


def replace_with_other_logits(path):
    np.save(path, np.zeros(SHAPE, "float32"))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (cut, r"an \.npy file"),
        (flip, "SHA-256"),
        (empty, r"an \.npy file"),
        (replace_with_safetensors, r"an \.npy file"),
        (replace_with_other_logits, "SHA-256"),
        (remove_json, r"\.json file beside it"),
        (cut_json, r"\.json file beside it"),
        (replace_json, r"\.json file beside it"),
        (lose_a_fingerprint, r"\.json file beside it"),
    ],
)
def test_damaged_files_are_refused_by_name(path, damage, message):
    damage(path)
    with pytest.raises(ValueError, match=f"{message}.*Remove") as error:
        open_logits(path)
    assert str(path) in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_json_without_logits_is_replaced(path, batches):
    """A process that is killed between the two files leaves that."""
    path.unlink()
    write_logits(path, batches, shape=SHAPE, origin={"seed": 2})
    assert open_logits(path).origin == {"seed": 2}


@pytest.mark.parametrize("number", [4, 6])
def test_a_wrong_number_of_batches_leaves_no_file(tmp_path, batches, number):
    batches = (2 * batches)[:number]
    with pytest.raises(ValueError, match=f"5 batches. Received: {number}"):
        write_logits(tmp_path / "a", batches, shape=SHAPE, origin={})
    assert os.listdir(tmp_path) == []


def test_logits_of_a_wrong_shape_leave_no_file(tmp_path, batches):
    batches[3] = (batches[3][0][:1], batches[3][1])
    with pytest.raises(ValueError, match=r"\(2, 3\). Received: \(1, 3\) in step 3"):
        write_logits(tmp_path / "a", batches, shape=SHAPE, origin={})
    assert os.listdir(tmp_path) == []


def test_too_little_room_is_refused_before_the_work(tmp_path, monkeypatch):
    def usage(_):
        return SimpleNamespace(free=10**9)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    with pytest.raises(OSError, match=r"4\.0 GB.*1\.0 GB are free"):
        write_logits(tmp_path / "a", [], shape=(1000, 1000, 1000), origin={})


@pytest.mark.parametrize("folder", ["/proc/nowhere", "file"])
def test_a_folder_that_cannot_be_made_is_refused_by_name(folder, tmp_path, batches):
    (tmp_path / "file").write_text("")
    path = tmp_path / folder / "logits.npy"
    with pytest.raises(OSError, match=rf"must be able to write .*{path} \(.+\)\. Make"):
        write_logits(path, batches, shape=SHAPE, origin={})
