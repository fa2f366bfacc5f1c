"""Images held out of each class for evaluation, the same every time."""

import collections
import shutil

import numpy as np
import pytest

from keras_cait.data.sources.evaluation_split import EvaluationSplit
from keras_cait.data.sources.load import load_dataset, load_test_images
from tests.data.test_image_files import write_image

SIZES = {"a": 20, "b": 2, "c": 7}


def paths_of(number, folder="photos/a"):
    return [f"{folder}/{index}.jpg" for index in range(number)]


def test_the_fraction_is_held_out_of_every_class():
    by_class = [paths_of(5000), paths_of(3, "photos/b"), paths_of(700, "photos/c")]
    train, test = EvaluationSplit(fraction=0.1).hold_out(by_class, "abc", "photos")
    assert [len(paths) for paths in test] == [500, 1, 70]
    for whole, one, other in zip(by_class, train, test, strict=True):
        assert sorted(one + other) == sorted(whole)
    # Any part of the files, such as those of one day, is divided in that ratio too.
    places = np.array([by_class[0].index(path) for path in test[0]])
    assert np.histogram(places, 10, (0, 5000))[0] == pytest.approx([50] * 10, abs=25)


def test_held_out_images_follow_from_the_seed_in_any_folder():
    by_class = [paths_of(50)]
    test = EvaluationSplit(fraction=0.2, seed=1).hold_out(by_class, "a", "photos")[1][0]
    moved = EvaluationSplit(fraction=0.2, seed=1).hold_out(
        [paths_of(50, "/x/y/a")], "a", "/x/y"
    )[1][0]
    assert [path.split("/")[-1] for path in moved] == [p.split("/")[-1] for p in test]
    other = EvaluationSplit(fraction=0.2, seed=2).hold_out(by_class, "a", "photos")[1][
        0
    ]
    assert set(other) != set(test)
    grown = EvaluationSplit(fraction=0.2, seed=1).hold_out(
        [paths_of(51)], "a", "photos"
    )[1][0]
    assert len(set(grown) & set(test)) >= 9


@pytest.fixture(params=["flat", "train"])
def folder(request, tmp_path):
    top = tmp_path if request.param == "flat" else tmp_path / "train"
    for name, number in SIZES.items():
        for index in range(number):
            write_image(top / name / f"{index}.png")
    return tmp_path


def labels_of(images):
    return collections.Counter(int(images.read(key)[1]) for key in images.in_order())


def names_of(images):
    return {images.name_of(key) for key in images.in_order()}


def test_a_flat_folder_is_split_into_a_data_set(folder, monkeypatch):
    monkeypatch.setattr(
        "keras_cait.data.sources.folder.MEMORY_LIMIT", 1
    )  # files have names
    data = load_dataset(data_dir=folder, validation_split=0.25, split_seed=3)
    assert data.class_names == ("a", "b", "c")
    assert labels_of(data.test) == {0: 5, 1: 1, 2: 2}
    assert labels_of(data.train) == {0: 15, 1: 1, 2: 5}
    assert not names_of(data.train) & names_of(data.test)
    options = {"validation_split": 0.25, "split_seed": 3}
    classes, images = load_test_images(data_dir=folder, **options)
    assert classes == data.class_names
    assert names_of(images) == names_of(data.test)
    options["split_seed"] = 4
    assert names_of(load_test_images(data_dir=folder, **options)[1]) != names_of(images)


def test_a_flat_folder_without_the_option_names_it(folder):
    with pytest.raises(ValueError, match=r"measure on with --validation-split 0\.2$"):
        load_dataset(data_dir=folder)


@pytest.mark.parametrize("fraction", [0, 1, -0.5, 2.0, float("nan")])
def test_fractions_out_of_range_are_refused(folder, fraction):
    with pytest.raises(ValueError, match="must be above 0 and below 1"):
        load_dataset(data_dir=folder, validation_split=fraction)


def test_options_that_contradict_the_folder_are_refused(folder):
    with pytest.raises(ValueError, match=r"test_split='val' and validation_split=0\.2"):
        load_dataset(data_dir=folder, validation_split=0.2, test_split="val")
    with pytest.raises(ValueError, match=r"validation_split=0\.2 with digits"):
        load_dataset("digits", validation_split=0.2)
    top = folder / "train" if (folder / "train").is_dir() else folder
    (top / "b" / "1.png").unlink()
    with pytest.raises(ValueError, match=r"two images or more.*Received: 1 of b"):
        load_dataset(data_dir=folder, validation_split=0.2)
    shutil.copytree(top / "a", folder / "val" / "a")
    with pytest.raises(ValueError, match=r"without test images.*with val/"):
        load_dataset(data_dir=folder, validation_split=0.2)
