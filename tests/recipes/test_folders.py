"""Folders of images without test images, and with files that cannot be decoded."""

import os
from pathlib import Path

import pytest

from keras_cait.data.batches import training_keys
from keras_cait.data.sources.load import load_dataset
from recipes import evaluate, show_augmentations, train_deit
from tests.support.data.pictures import (
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
    monkeypatch.setattr("keras_cait.data.sources.folder.MEMORY_LIMIT", 1)
    return write_pictures(tmp_path / "photos", number=12)


def last_drawn(photos):
    """Path of the image that the last step of an epoch ends with."""
    images = load_dataset(data_dir=photos, validation_split=0.25, split_seed=2).train
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


@pytest.mark.slow  # tests/faults resumes a run, tests/data names the file
def test_a_missing_file_of_a_flat_folder_is_named_and_the_run_resumes(
    photos, tmp_path, capsys, monkeypatch
):
    """A file that vanishes in an epoch is named, and the run resumes with it."""
    data = ["--data-dir", str(photos)]
    output = ["--output", str(tmp_path / "run"), "--resume"]
    assert train_deit.main([*TRAINING, *data, *output]) == 2
    assert "with --validation-split 0.2" in capsys.readouterr().err
    path = last_drawn(photos)
    content = Path(path).read_bytes()
    load = load_dataset

    def load_and_remove(*names, **options):
        found = load(*names, **options)
        os.unlink(path)
        return found

    with monkeypatch.context() as patched, without_compiling():
        patched.setattr(
            "keras_cait.training.programs.launch.load_dataset", load_and_remove
        )
        assert train_deit.main([*TRAINING, *data, *SPLIT, *output]) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("error: Expected an image in every file. Received: ")
    assert f"{path}, which cannot be decoded" in error
    assert "No such file or directory" in error
    assert list((tmp_path / "run" / "checkpoints" / "01-model").iterdir())

    Path(path).write_bytes(content)
    with without_compiling():
        assert train_deit.main([*TRAINING, *data, *SPLIT, *output]) == 0
    accuracy = results_of(capsys.readouterr().out)["accuracy"]
    other = [*data, "--validation-split", "0.25", *output]
    assert train_deit.main([*TRAINING, *other]) == 2
    assert "split_seed: 2 there, 0 here" in capsys.readouterr().err

    weights = ["--weights", str(tmp_path / "run" / "model.keras")]
    with without_compiling():
        assert evaluate.main([*weights, *data, *SPLIT]) == 0
    found = results_of(capsys.readouterr().out)
    assert found["images"] == 6
    assert found["top1"] == pytest.approx(100 * accuracy, abs=0.01)


def test_an_undecodable_test_image_is_named(photos, tmp_path, capsys):
    write_pictures(tmp_path / "val")
    (tmp_path / "val" / "night" / "3.png").write_bytes(b"no image")
    sheet = ["--output", str(tmp_path / "sheet.png"), "--images", "16"]
    size = ["--image-size", "16", "--columns", "1"]
    arguments = ["--data-dir", str(tmp_path / "val"), *sheet, *size]
    assert show_augmentations.main(arguments) == 2
    (error,) = capsys.readouterr().err.strip().splitlines()
    assert "night/3.png, which cannot be decoded (no JPEG, PNG" in error
