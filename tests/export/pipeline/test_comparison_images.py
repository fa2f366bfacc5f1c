"""Folders of images are read and transformed as in evaluation."""

import numpy as np
import pytest
from PIL import Image

from keras_cait import Preprocessing
from keras_cait.export.pipeline.comparison_images import images_of, labels_of

PREPROCESSING = Preprocessing(image_size=(16, 16), crop_pct=0.8)


@pytest.fixture
def folder(tmp_path):
    draws = np.random.default_rng(0)
    for index, name in enumerate(("a/x.png", "a/y.PNG", "b/c/z.jpg", "w.bmp")):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.full((30, 20 + index, 3), 60 * index) + draws.integers(0, 9, 3)
        Image.fromarray(pixels.astype("uint8")).save(path)
    (tmp_path / ".hidden.png").write_bytes(b"no image")
    return tmp_path


def test_images_below_a_folder_are_transformed_as_in_evaluation(folder):
    images = images_of(folder, PREPROCESSING)
    assert (images.shape, images.dtype) == ((4, 16, 16, 3), "uint8")
    # Each of one color of its own, which neither resizing nor cropping changes.
    expected = []
    for path in ("a/x.png", "a/y.PNG", "b/c/z.jpg", "w.bmp"):
        expected.append(np.asarray(Image.open(folder / path))[0, 0])
    found = sorted(image[8, 8].tolist() for image in images)
    np.testing.assert_allclose(found, sorted(map(list, expected)), atol=1)


def test_webp_is_read_and_a_text_file_is_counted_in_a_warning(folder):
    Image.new("RGB", (20, 20), "red").save(folder / "v.webp")
    (folder / "notes.txt").write_text("no image")
    with pytest.warns(UserWarning, match=r"1 file in .* is left out.*notes\.txt"):
        images = images_of(folder, PREPROCESSING)
    assert len(images) == 5


def test_the_center_of_an_image_is_kept(tmp_path):
    pixels = np.zeros((40, 40, 3), "uint8")
    pixels[4:36, 4:36] = 255  # what 0.8 of the side keeps
    Image.fromarray(pixels).save(tmp_path / "a.png")
    (image,) = images_of(tmp_path, PREPROCESSING)
    assert image[1:-1, 1:-1].min() > 250


def test_a_sample_of_a_folder_is_the_same_each_time(folder):
    few = images_of(folder, PREPROCESSING, most=2)
    assert len(few) == 2
    np.testing.assert_array_equal(few, images_of(folder, PREPROCESSING, most=2))


def test_one_channel_gives_gray_images(folder):
    assert images_of(folder, PREPROCESSING, channels=1).shape == (4, 16, 16, 1)


def test_folders_without_images_and_corrupt_images_are_refused(folder, tmp_path):
    with pytest.raises(ValueError, match="which is no folder"):
        images_of(tmp_path / "nowhere", PREPROCESSING)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="empty, without any"):
        images_of(tmp_path / "empty", PREPROCESSING)
    (folder / "broken.png").write_bytes(b"no image")
    with pytest.raises(ValueError, match=r"broken\.png, which cannot be decoded"):
        images_of(folder, PREPROCESSING)


def test_class_folders_give_the_classes_of_their_images(tmp_path):
    for number, name in enumerate(("cat", "dog", "ant")):
        for index in range(4):
            path = tmp_path / name / f"{index}.png"
            path.parent.mkdir(exist_ok=True)
            pixels = np.full((16, 16, 3), 80 * number, "uint8")
            Image.fromarray(pixels).save(path)
    gray = images_of(tmp_path, PREPROCESSING, most=7)[:, 8, 8, 0] // 80
    # By name: cat, dog and ant have levels 0, 80 and 160.
    names = ["cat", "bird", "dog", "ant"]
    number_of = np.array([0, 2, 3])
    found = labels_of(tmp_path, 4, names, most=7)
    np.testing.assert_array_equal(found, number_of[gray])
    # By place, in alphabetical order: ant, cat, dog.
    found = labels_of(tmp_path, 3, None, most=7)
    np.testing.assert_array_equal(found, np.array([1, 2, 0])[gray])
    assert labels_of(tmp_path, 10, None) is None
    assert labels_of(tmp_path, 10, ["fox"] * 10) is None
    assert labels_of(tmp_path / "cat", 3, None) is None
