"""Recipes that train one model on labels, or distill a CaiT."""

import json

import keras
import numpy as np
import pytest

from recipes import distill_cait, distill_deit, train_cait, train_deit
from tests.support.data.pictures import TINY_MODEL, results_of, without_compiling

FEW = ["--limit", "32", "--batch-size", "16", "--epochs", "1", "--warmup-epochs", "0"]


@pytest.mark.parametrize(
    "recipe", [train_deit, pytest.param(train_cait, marks=pytest.mark.slow)]
)
def test_smoke_runs_every_part_of_the_paper_s_recipe(recipe, tmp_path, capsys):
    model = ["--model", TINY_MODEL, "--image-size", "16"]
    output = ["--output", str(tmp_path / "out")]
    with without_compiling():
        assert recipe.main(["--smoke", *FEW, *model, *output]) == 0
    results = results_of(capsys.readouterr().out)
    assert 0 <= results["accuracy"] <= 1
    assert 0 <= results["model_ema_accuracy"] <= 1
    settings = json.loads((tmp_path / "out" / "config.json").read_text())
    expected = {
        "augment": "rand-m9-mstd0.5-inc1",
        "erasing": 0.25,
        "mixup": 0.8,
        "cutmix": 1.0,
        "smoothing": 0.1,
        "repeats": 3,
        "crop": "resized",
    }
    assert {name: settings[name] for name in expected} == expected
    images = np.zeros((1, 16, 16, 3), "float32")
    for name in ("model", "model_ema"):
        saved = keras.models.load_model(tmp_path / "out" / f"{name}.keras")
        assert saved.predict(images, verbose=0).shape == (1, 10)


@pytest.mark.slow
def test_accumulated_batches_train_as_one_large_batch(tmp_path):
    """Three epochs of 40 images, not a multiple of 16, with SGD."""
    options = ["--preset", "digits", "--limit", "40", "--model", TINY_MODEL]
    options += ["--optimizer", "sgd", "--epochs", "3", "--warmup-epochs", "1"]
    options += ["--drop-path-rate", "0", "--learning-rate", "0.05"]
    trained = []
    with without_compiling():
        for batch_size, accumulation_steps in ((16, 1), (4, 4)):
            folder = tmp_path / str(batch_size)
            sizes = ["--batch-size", batch_size, "--output", folder]
            sizes += ["--accumulation-steps", accumulation_steps]
            assert train_deit.main([*options, *map(str, sizes)]) == 0
            model = keras.models.load_model(folder / "model.keras")
            trained.append(model.get_weights())
    for one, four in zip(*trained, strict=True):
        np.testing.assert_allclose(four, one, atol=1e-6)


def test_more_accumulated_images_than_the_data_set_has_are_refused(tmp_path, capsys):
    options = ["--preset", "digits", "--limit", "40", "--model", TINY_MODEL]
    options += ["--batch-size", "16", "--accumulation-steps", "3"]
    assert train_deit.main([*options, "--output", str(tmp_path / "out")]) == 2
    assert "--accumulation-steps 3. Lower" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_preset_deit3_trains_with_lamb_and_sigmoid_loss(tmp_path, capsys):
    with without_compiling():
        code = train_deit.main(
            [
                *["--preset", "deit3", *FEW, "--model", TINY_MODEL],
                *["--image-size", "16", "--output", str(tmp_path / "out")],
            ]
        )
    assert code == 0, capsys.readouterr().err
    settings = json.loads((tmp_path / "out" / "config.json").read_text())
    assert (settings["optimizer"], settings["augment"]) == ("lamb", "3a")
    assert settings["loss"] == "sigmoid"


@pytest.mark.parametrize(
    "token",
    [
        [],
        pytest.param(
            ["--no-distillation-token", "--no-baseline"], marks=pytest.mark.slow
        ),
    ],
)
def test_a_cait_is_distilled_with_and_without_a_token(token, tmp_path, capsys):
    student = ["--student", TINY_MODEL, "--teacher-epochs", "1"]
    output = ["--output", str(tmp_path / "out")]
    with without_compiling():
        assert distill_cait.main([*FEW, *student, *token, *output]) == 0
    results = results_of(capsys.readouterr().out)
    assert ("class_head_accuracy" in results) == (not token)
    assert ("undistilled_accuracy" in results) == (not token)
    assert 0 <= results["teacher_agreement"] <= 1


def test_stored_teacher_logits_are_used_for_the_next_student(run, tmp_path, capsys):
    """The second student has another size, and learns from the file."""
    teacher = run.folder / "build" / "distill" / "teacher.keras"
    logits = tmp_path / "logits.npy"
    shared = [*FEW, "--no-baseline", "--teacher", str(teacher)]
    shared += ["--teacher-logits", str(logits)]
    written = []
    with without_compiling():
        for width in ("8", "16"):
            student = ["--student", TINY_MODEL.replace("=8", f"={width}")]
            output = ["--output", str(tmp_path / width)]
            code = distill_deit.main([*shared, *student, *output])
            assert code == 0, capsys.readouterr().err
            written.append(logits.stat().st_mtime_ns)
        assert written[0] == written[1]
        other = ["--seed", "1", "--student", TINY_MODEL]
        output = ["--output", str(tmp_path / "other")]
        assert distill_deit.main([*shared, *other, *output]) == 2
    assert "seed: 0 there, 1 here" in capsys.readouterr().err
