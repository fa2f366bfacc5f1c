"""Errors name the image that TensorFlow could not read, and the reason."""

import os

import pytest
import tensorflow as tf
from PIL import Image

from keras_cait.data.images.decoding import decode
from keras_cait.data.sources.load import load_dataset
from keras_cait.data.sources.unreadable_images import (
    first_unreadable,
    name_unreadable_candidates,
    name_unreadable_images,
)
from tests.data.test_image_files import write_image
from tests.support.data.shards import sharded


@pytest.fixture
def images(tmp_path, monkeypatch):
    """Twenty files that are read when they are used."""
    monkeypatch.setattr("keras_cait.data.sources.folder.MEMORY_LIMIT", 1)
    for index in range(20):
        write_image(tmp_path / "ab"[index % 2] / f"{index}.png")
    return load_dataset(data_dir=tmp_path, validation_split=0.1).train


def bomb(path):
    Image.new("1", (15_000, 10_000)).save(path)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (os.unlink, "No such file or directory"),
        pytest.param(lambda path: os.truncate(path, 50), "PNG", marks=pytest.mark.slow),
        pytest.param(
            lambda path: os.truncate(path, 0), "no JPEG, PNG", marks=pytest.mark.slow
        ),
        (bomb, "at most 50000000 pixels, 65500 a side. Received: height=10000"),
    ],
)
def test_the_first_unreadable_image_is_named(damage, reason, images):
    paths = [images.name_of(key) for key in images.in_order()]
    assert first_unreadable(images, images.in_order()) is None
    for path in (paths[12], paths[5]):
        damage(path)
    found = first_unreadable(images, images.in_order()) or "none"
    assert found.startswith(f"{paths[5]}, which cannot be decoded (")
    assert reason in found
    for internal in ("{{", "[Op", "Iterator::", "assertion", "tf.Tensor"):
        assert internal not in found

    def go_through():
        candidates = [(images, images.in_order())]
        with name_unreadable_candidates(lambda: candidates, "Help."):
            for key in images.in_order():
                decode(images.read(key)[0])

    with pytest.raises(ValueError, match=f"{paths[5]}.* Help"):
        go_through()


def test_other_errors_pass(images):
    def fail():
        with name_unreadable_images(images):
            raise tf.errors.ResourceExhaustedError(None, None, "no memory")

    with pytest.raises(tf.errors.ResourceExhaustedError, match="no memory"):
        fail()


def test_a_damaged_record_file_is_named(tmp_path):
    images = sharded(tmp_path, (50, 50))
    path = images.shards[1].path
    with open(path, "r+b") as file:
        file.seek(1000)
        file.write(b"damage")
    found = first_unreadable(images, images.in_order()) or "none"
    assert "which cannot be decoded (corrupted record" in found
