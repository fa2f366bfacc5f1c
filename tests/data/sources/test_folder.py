"""Data sets from folders of images, and errors that name what is missing."""

import numpy as np
import pytest
from PIL import Image

from keras_cait.data.images.decoding import decode
from keras_cait.data.sources.load import load_dataset, load_test_images


def pixels_of(images):
    """Every image, decoded, and its label."""
    for key in images.in_order():
        record, label = images.read(key)
        yield decode(record).numpy(), int(label)


def write_images(folder, number, color, size=(20, 12), suffix=".png"):
    folder.mkdir(parents=True)
    for index in range(number):
        Image.new("RGB", size, color).save(folder / f"{index}{suffix}")


@pytest.fixture
def folder(tmp_path):
    for part, number in (("train", 5), ("val", 2)):
        write_images(tmp_path / part / "red", number, (200, 0, 0))
        write_images(tmp_path / part / "blue", number, (0, 0, 200), suffix=".jpg")
    return tmp_path


def test_classes_are_sorted_folders(folder):
    data = load_dataset(data_dir=folder)
    assert data.class_names == ("blue", "red")
    assert (data.train.number, data.test.number) == (10, 4)
    assert data.image_shape == (12, 12, 3)
    for image, label in pixels_of(data.train):
        assert image.dtype == np.uint8
        assert image.shape == (12, 20, 3)
        assert image[..., 0].mean() == pytest.approx(200 * label, abs=3)


def test_the_test_folder_may_be_called_test(folder):
    (folder / "val").rename(folder / "test")
    assert load_dataset(data_dir=folder).test.number == 4


def test_limit_draws_from_all_classes(folder):
    write_images(folder / "train" / "green", 40, (0, 200, 0))
    data = load_dataset(data_dir=folder, limit=30)
    labels = [label for _, label in pixels_of(data.train)]
    assert len(labels) == 30
    assert set(labels) == {0, 1, 2}


def test_files_of_larger_sets_are_read_when_needed(folder, monkeypatch):
    kept = list(pixels_of(load_dataset(data_dir=folder).train))
    monkeypatch.setattr("keras_cait.data.sources.folder.MEMORY_LIMIT", 1)
    read = list(pixels_of(load_dataset(data_dir=folder).train))
    for (image, label), (other, other_label) in zip(kept, read, strict=True):
        np.testing.assert_array_equal(image, other)
        assert label == other_label


def test_test_images_need_no_training_images(folder):
    names, images = load_test_images(data_dir=folder)
    assert (names, images.number) == (("blue", "red"), 4)
    names, images = load_test_images(data_dir=folder / "train", limit=3)
    assert (names, images.number) == (("blue", "red"), 3)
    with pytest.raises(ValueError, match="no folder of that name"):
        load_test_images(data_dir=folder / "nowhere")


def test_classes_without_test_images_keep_their_places(folder):
    """A val/ that lacks one of the classes, alone or beside train/."""
    write_images(folder / "train" / "green", 3, (0, 200, 0))
    for part in (folder, folder / "val"):
        names, images = load_test_images(data_dir=part)
        assert names == ("blue", "green", "red")
        assert sorted(label for _, label in pixels_of(images)) == [0, 0, 2, 2]
    (folder / "val" / "blue").rename(folder / "val" / "violet")
    names, _ = load_test_images(data_dir=folder / "val")
    assert names == ("red", "violet")  # of another data set than train/
    with pytest.raises(ValueError, match=r"\['violet'\], which .*train lacks"):
        load_test_images(data_dir=folder)


def test_a_test_folder_can_be_named(folder):
    write_images(folder / "extra" / "red", 3, (200, 0, 0))
    for load in (
        lambda **options: load_dataset(**options).test,
        lambda **options: load_test_images(**options)[1],
    ):
        images = load(data_dir=folder, test_split="extra")
        assert [label for _, label in pixels_of(images)] == [1, 1, 1]
        with pytest.raises(ValueError, match=r"test_split='none'.*'extra', 'train'"):
            load(data_dir=folder, test_split="none")


def test_a_decompression_bomb_is_refused(folder):
    """An image of 150 million pixels in 150 kB is not decoded."""
    Image.new("1", (15_000, 10_000)).save(folder / "train" / "red" / "x.png")
    with pytest.raises(ValueError, match=r"red/x\.png.*at most 50000000 pixels.*15000"):
        load_dataset(data_dir=folder)


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
def test_an_error_names_the_missing_folder_or_image(folder, damage, named):
    damage(folder)
    with pytest.raises(ValueError, match=named):
        load_dataset(data_dir=folder)


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no folder of that name"):
        load_dataset(data_dir=tmp_path / "nowhere")
