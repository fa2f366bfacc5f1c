"""A folder of images becomes a data set, or says what is wrong with it."""

import numpy as np
import pytest
from PIL import Image

from keras_cait.data.datasets import load_dataset


def write_images(folder, number, colour, size=(20, 12), suffix=".png"):
    folder.mkdir(parents=True)
    for index in range(number):
        Image.new("RGB", size, colour).save(folder / f"{index}{suffix}")


@pytest.fixture
def folder(tmp_path):
    for part, number in (("train", 5), ("val", 2)):
        write_images(tmp_path / part / "red", number, (200, 0, 0))
        write_images(tmp_path / part / "blue", number, (0, 0, 200), suffix=".jpg")
    return tmp_path


def test_classes_are_sorted_folders(folder):
    data = load_dataset(data_dir=folder)
    assert data.class_names == ("blue", "red")
    assert (data.num_train, data.num_test) == (10, 4)
    assert data.image_shape == (12, 12, 3)
    for image, label in data.train.as_numpy_iterator():
        assert image.dtype == np.uint8
        assert image.shape == (12, 12, 3)
        assert image[..., 0].mean() == pytest.approx(200 * label, abs=3)


def test_test_folder_may_be_called_test(folder):
    (folder / "val").rename(folder / "test")
    assert load_dataset(data_dir=folder).num_test == 4


def test_limit_draws_from_all_classes(folder):
    write_images(folder / "train" / "green", 40, (0, 200, 0))
    data = load_dataset(data_dir=folder, limit=30)
    labels = [label for _, label in data.train.as_numpy_iterator()]
    assert len(labels) == 30
    assert set(labels) == {0, 1, 2}


def test_image_size_resizes_and_crops(folder):
    data = load_dataset(data_dir=folder, image_size=8)
    assert data.image_shape == (8, 8, 3)
    assert next(data.test.as_numpy_iterator())[0].shape == (8, 8, 3)


def test_resize_equals_pillow(folder):
    noise = np.random.default_rng(0).integers(0, 256, (40, 64, 3), dtype=np.uint8)
    photo = Image.fromarray(noise)
    photo.save(folder / "train" / "red" / "0.png")
    found = {
        label: image.astype(float)
        for image, label in load_dataset(
            data_dir=folder, image_size=16
        ).train.as_numpy_iterator()
        if label == 1 and image[..., 1].std() > 0
    }[1]
    expected = photo.resize((26, 16), Image.Resampling.BICUBIC).crop((5, 0, 21, 16))
    assert np.abs(found - np.asarray(expected, float)).mean() < 1


def test_a_corrupt_image_is_named(folder):
    bad = folder / "train" / "red" / "3.png"
    bad.write_bytes(bad.read_bytes()[:40])
    with pytest.raises(ValueError, match=r"red/3\.png, which cannot be decoded"):
        load_dataset(data_dir=folder)


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (lambda folder: (folder / "train").rename(folder / "x"), "train/<class>"),
        (lambda folder: (folder / "val").rename(folder / "x"), "test/<class>"),
        (lambda folder: (folder / "train" / "red").rename(folder / "x"), "blue"),
        (lambda folder: (folder / "train" / "red").rename(folder / "train/.x"), "two"),
        (lambda folder: (folder / "train" / "none").mkdir(), "none without any"),
        (lambda folder: write_images(folder / "val" / "odd", 1, (0, 0, 0)), "odd"),
    ],
)
def test_what_is_missing_is_named(folder, damage, named):
    damage(folder)
    with pytest.raises(ValueError, match=named):
        load_dataset(data_dir=folder)


def test_no_such_folder(tmp_path):
    with pytest.raises(ValueError, match="no folder of that name"):
        load_dataset(data_dir=tmp_path / "nowhere")
