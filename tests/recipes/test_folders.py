"""Folders of one's own images: without test images, and with files that go bad."""

import os

import pytest
from keras_cait.recipes import evaluate, show_augmentations, train_deit
from PIL import Image

from keras_cait.data import datasets
from keras_cait.data.batches import training_keys
from tests.recipes.samples import (
    TINY_MODEL,
    results_of,
    without_compiling,
    write_pictures,
)

TRAINING = ["--preset", "smoke", "--model", TINY_MODEL, "--batch-size", "4"]
TRAINING += ["--epochs", "2", "--warmup-epochs", "0", "--checkpoint-steps", "1"]
TRAINING += ["--augment", "none", "--crop", "none", "--no-flip", "--repeats", "1"]
TRAINING += [f"--{name}=0" for name in ("mixup", "cutmix", "erasing", "smoothing")]
SPLIT = ["--validation-split", "0.25", "--split-seed", "2"]


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """A flat folder, of more bytes than are kept in memory."""
    monkeypatch.setattr("keras_cait.data.folder._IN_MEMORY", 1)
    return write_pictures(tmp_path / "photos", number=12)


def test_a_flat_folder_goes_through_training_and_evaluation(photos, tmp_path, capsys):
    data = ["--data-dir", str(photos)]
    output = ["--output", str(tmp_path / "run")]
    assert train_deit.main([*TRAINING, *data, *output]) == 2
    assert "with --validation-split 0.2" in capsys.readouterr().err
    with without_compiling():
        assert train_deit.main([*TRAINING, *data, *SPLIT, *output]) == 0
    accuracy = results_of(capsys.readouterr().out)["accuracy"]
    weights = ["--weights", str(tmp_path / "run" / "model.keras")]
    with without_compiling():
        assert evaluate.main([*weights, *data, *SPLIT]) == 0
    found = results_of(capsys.readouterr().out)
    assert found["images"] == 6
    assert found["top1"] == pytest.approx(100 * accuracy, abs=0.01)
    other = [*data, "--validation-split", "0.25", *output, "--resume"]
    assert train_deit.main([*TRAINING, *other]) == 2
    assert "split_seed: 2 there, 0 here" in capsys.readouterr().err
    sheet = ["--output", str(tmp_path / "sheet.png"), "--images", "2"]
    assert show_augmentations.main([*data, *SPLIT, *sheet, "--image-size", "16"]) == 0


def last_drawn(photos):
    """Path of the image that the last step of an epoch ends with."""
    images = datasets.load_dataset(
        data_dir=photos, validation_split=0.25, split_seed=2
    ).train
    keys = training_keys(
        images,
        4,
        epochs=2,
        seed=0,
        repeats=1,
        accumulation_steps=1,
        first_step=3,
        number=1,
    )
    return images.name_of(list(keys)[-1])


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (os.unlink, "No such file or directory"),
        pytest.param(
            lambda path: os.truncate(path, 100), "data", marks=pytest.mark.slow
        ),
        pytest.param(
            lambda path: Image.new("1", (15_000, 10_000)).save(path),
            "at most 50000000 pixels",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_file_that_goes_bad_in_an_epoch_is_named(
    damage, reason, photos, tmp_path, capsys, monkeypatch
):
    """In one line; the run resumes when it is there again."""
    path = last_drawn(photos)
    with open(path, "rb") as file:
        content = file.read()
    load = datasets.load_dataset

    def load_and_damage(*names, **options):
        found = load(*names, **options)
        damage(path)
        return found

    output = ["--output", str(tmp_path / "run"), "--resume"]
    run = [*TRAINING, "--data-dir", str(photos), *SPLIT, *output]
    with monkeypatch.context() as patched, without_compiling():
        patched.setattr("keras_cait.recipes.launch.load_dataset", load_and_damage)
        assert train_deit.main(run) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("error: Expected an image in every file. Received: ")
    assert path in error
    assert reason in error
    assert list((tmp_path / "run" / "checkpoints" / "01-model").iterdir())
    with open(path, "wb") as file:
        file.write(content)
    with without_compiling():
        assert train_deit.main(run) == 0


def test_a_bad_file_to_measure_on_is_named(photos, tmp_path, capsys):
    write_pictures(tmp_path / "val")
    (tmp_path / "val" / "night" / "3.png").write_bytes(b"no image")
    sheet = ["--output", str(tmp_path / "sheet.png"), "--images", "16"]
    size = ["--image-size", "16", "--columns", "1"]
    arguments = ["--data-dir", str(tmp_path / "val"), *sheet, *size]
    assert show_augmentations.main(arguments) == 2
    (error,) = capsys.readouterr().err.strip().splitlines()
    assert "night/3.png, which cannot be decoded (no JPEG, PNG" in error
