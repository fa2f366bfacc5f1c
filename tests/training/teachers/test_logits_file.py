import os
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

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
    path = tmp_path / "logits.safetensors"
    write_logits(path, batches, shape=SHAPE, about={"seed": 1, "name": "ä"})
    return path


@pytest.mark.parametrize("first_step", [0, 1, 4])
def test_it_reads_what_was_written(path, batches, first_step):
    file = open_logits(path)
    assert file.shape == SHAPE
    assert file.about == {"seed": 1, "name": "ä"}
    found = list(file.batches(first_step).as_numpy_iterator())
    assert len(found) == 5 - first_step
    for pair, expected in zip(found, batches[first_step:], strict=True):
        for one, other in zip(pair, expected, strict=True):
            np.testing.assert_array_equal(one, other)


def test_it_is_a_file_of_safetensors(path, batches):
    tensors = load_file(path)
    np.testing.assert_array_equal(tensors["logits"], [logits for logits, _ in batches])
    np.testing.assert_array_equal(tensors["images"], [images for _, images in batches])
    assert open_logits(path).start % 8 == 0


def test_a_fingerprint_is_of_every_bit():
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


def replace(path):
    save_file({"head": np.zeros(3, "float32")}, path)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (cut, "complete file"),
        (flip, "SHA-256"),
        (empty, "complete"),
        (replace, "complete"),
    ],
)
def test_a_damaged_file_is_named(path, damage, said):
    damage(path)
    with pytest.raises(ValueError, match=f"{said}.*Remove") as error:
        open_logits(path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize("number", [4, 6])
def test_another_number_of_batches_leaves_nothing(tmp_path, batches, number):
    batches = (2 * batches)[:number]
    with pytest.raises(ValueError, match=f"5 batches. Received: {number}"):
        write_logits(tmp_path / "a", batches, shape=SHAPE, about={})
    assert os.listdir(tmp_path) == []


def test_logits_of_another_shape_leave_nothing(tmp_path, batches):
    batches[3] = (batches[3][0][:1], batches[3][1])
    with pytest.raises(ValueError, match=r"\(2, 3\). Received: \(1, 3\) in step 3"):
        write_logits(tmp_path / "a", batches, shape=SHAPE, about={})
    assert os.listdir(tmp_path) == []


def test_a_full_disk_shows_before_the_work(tmp_path, monkeypatch):
    def usage(_):
        return SimpleNamespace(free=10**9)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    with pytest.raises(OSError, match=r"4\.0 GB.*1\.0 GB are free"):
        write_logits(tmp_path / "a", [], shape=(1000, 1000, 1000), about={})


@pytest.mark.parametrize("folder", ["/proc/nowhere", "file"])
def test_a_folder_that_cannot_be_made_is_named(folder, tmp_path, batches):
    (tmp_path / "file").write_text("")
    path = tmp_path / folder / "logits.safetensors"
    with pytest.raises(OSError, match=rf"must be able to write .*{path} \(.+\)\. Make"):
        write_logits(path, batches, shape=SHAPE, about={})
