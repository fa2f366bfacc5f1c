"""Image files of class folders: suffixes, unreadable files and warnings."""

import os

import numpy as np
import pytest
from PIL import Image

from keras_cait.data.images.decoding import decode
from keras_cait.data.sources.load import load_dataset, load_test_images

KINDS = ("jpg", "jpeg", "png", "bmp", "gif", "webp", "JPG", "jfif")


def write_image(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    kinds = {".jpg": "JPEG", ".jfif": "JPEG"}
    kind = kinds.get(path.suffix.lower(), path.suffix[1:].upper())
    Image.new("RGB", (9, 9), (200, 0, 0)).save(path, kind)


@pytest.fixture
def folder(tmp_path):
    for name in ("train/a", "train/b", "val/a", "val/b"):
        for kind in KINDS:
            write_image(tmp_path / name / f"one.{kind}")
    return tmp_path


def test_every_image_type_is_loaded(folder):
    data = load_dataset(data_dir=folder)
    assert (data.train.number, data.test.number) == (2 * len(KINDS),) * 2
    for key in data.train.in_order():
        image = decode(data.train.read(key)[0])
        np.testing.assert_allclose(image[4, 4], (200, 0, 0), atol=8)


def test_other_files_are_named_and_counted_in_one_warning(folder):
    """But not what file managers leave."""
    for name in ("x.tiff", "y.tiff", "deep/z.tiff", "note.txt", "README"):
        path = folder / "train" / "b" / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    for name in (".DS_Store", "Thumbs.db", "desktop.ini", ".hidden/x.tiff"):
        path = folder / "val" / "b" / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    said = (
        r"5 files in .*train are left out.* 3 \.tiff, 1 \.txt, 1 without suffix "
        r"\(b/README, b/deep/z\.tiff, b/note\.txt, \.\.\.\)"
    )
    with pytest.warns(UserWarning, match=said) as warned:
        data = load_dataset(data_dir=folder)
    assert [one.category for one in warned].count(UserWarning) == 1
    assert data.train.number == 2 * len(KINDS)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (os.mkfifo, "a FIFO"),
        (os.mkdir, "a folder"),
        (lambda path: os.symlink("/dev/zero", path), "a device"),
        (lambda path: os.symlink("/nowhere", path), "a link to nothing"),
    ],
)
def test_an_entry_that_is_not_a_regular_file_is_refused(folder, make, said):
    make(folder / "train" / "b" / "x.jpg")
    with pytest.raises(ValueError, match=rf"train/b/x\.jpg, which is {said}"):
        load_dataset(data_dir=folder)


def test_an_unreadable_file_is_refused(folder, monkeypatch):
    monkeypatch.setattr("os.access", lambda path, mode: False)  # root may read all
    with pytest.raises(ValueError, match=r"train/a/one\.\w+, which may not be read"):
        load_dataset(data_dir=folder)


@pytest.mark.parametrize("in_memory", [True, False])
def test_file_names_that_are_not_utf8_are_read(folder, in_memory, monkeypatch):
    if not in_memory:
        monkeypatch.setattr("keras_cait.data.sources.folder.MEMORY_LIMIT", 1)
    path = os.path.join(os.fsencode(folder), b"val/b/stra\xdfe.png")
    os.rename(folder / "val/b/one.png", path)
    _, images = load_test_images(data_dir=folder)
    found = [decode(images.read(key)[0]) for key in images.in_order()]
    assert len(found) == 2 * len(KINDS)
    with open(path, "wb") as file:
        file.write(b"no image")
    names = [images.name_of(key) for key in images.in_order()]
    with pytest.raises(ValueError, match=r"val/b/stra\\xdfe\.png, which cannot be dec"):
        load_dataset(data_dir=folder) if in_memory else raise_for(images)
    if not in_memory:
        assert sum(name.endswith(r"val/b/stra\xdfe.png") for name in names) == 1


def raise_for(images):
    from keras_cait.data.sources.unreadable_images import first_unreadable

    raise ValueError(first_unreadable(images, images.in_order()))


def test_class_names_that_are_not_utf8_are_refused(folder):
    for part in ("train", "val"):
        os.rename(folder / part / "b", os.fsencode(folder / part) + b"/stra\xdfe")
    with pytest.raises(ValueError, match=r"must be valid UTF-8.*stra\\xdfe in"):
        load_dataset(data_dir=folder)
