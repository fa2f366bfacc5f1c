"""Fine-tuning for other images, other classes and another size."""

import json

import keras
import pytest

import keras_cait
from keras_cait import Preprocessing
from keras_cait.training.programs.finetune import (
    FinetuningSettings,
    with_published_size,
)
from recipes.finetune import main
from tests.support.data.pictures import results_of, without_compiling, write_pictures

SIZE: dict = {"patch_size": 4, "embed_dim": 8, "depth": 1, "num_heads": 2}
OWN = Preprocessing(mean=(0.5,) * 3, std=(0.25,) * 3, crop_pct=0.9)
FEW = ["--batch-size", "8", "--epochs", "1", "--warmup-epochs", "0"]


@pytest.fixture
def pictures(tmp_path):
    for part in ("train", "test"):
        write_pictures(tmp_path / "data" / part, ("dawn", "day", "night"))
    return str(tmp_path / "data")


def run(*arguments):
    with without_compiling():
        return main([*FEW, *map(str, arguments)])


def test_a_checkpoint_is_finetuned_at_another_size_for_other_classes_with_a_teacher(
    pictures, tmp_path, capsys
):
    model = keras_cait.DeiT(
        input_shape=(8, 8, 3),
        classes=5,
        distilled=True,
        preprocessing=OWN,
        drop_path_rate=0.2,
        **{**SIZE, "depth": 2},
    )
    model.save(tmp_path / "model.keras")
    teacher = keras_cait.DeiT(
        input_shape=(16, 16, 3), classes=3, include_preprocessing=True, **SIZE
    )
    teacher.save(tmp_path / "teacher.keras")
    code = run(
        *["--weights", tmp_path / "model.keras", "--data-dir", pictures],
        *["--teacher", tmp_path / "teacher.keras", "--scratch"],
        *["--output", tmp_path / "out"],
    )
    captured = capsys.readouterr()
    assert code == 0, captured.err
    results = results_of(captured.out)
    assert {"finetuned_accuracy", "scratch_accuracy"} <= set(results)
    saved = keras.models.load_model(tmp_path / "out" / "finetuned.keras")
    assert saved.input_shape == (None, 16, 16, 3)
    assert saved.output_shape == (None, 3)
    assert saved.get_layer("head_distillation")
    assert keras_cait.class_names_of(saved) == ("dawn", "day", "night")
    assert keras_cait.preprocessing_for(saved) == OWN.of_model((16, 16, 3))
    settings = json.loads((tmp_path / "out" / "config.json").read_text())
    assert settings["drop_path_rate"] == 0.2
    assert settings["preprocessing"]["mean"] == [0.5, 0.5, 0.5]


@pytest.mark.slow  # tests/test_docs.py fine-tunes a published size
def test_timm_weights_are_finetuned_with_a_preset(pictures, tmp_path, capsys):
    source = keras_cait.DeiT_Ti(weights=None, input_shape=(32, 32, 3), classes=7)
    keras_cait.save_timm_weights(source, tmp_path / "model.safetensors")
    code = run(
        *["--model", "DeiT_Ti", "--weights", tmp_path / "model.safetensors"],
        *["--data-dir", pictures, "--preset", "deit3", "--image-size", 48],
        *["--limit", 8, "--output", tmp_path / "out"],
    )
    captured = capsys.readouterr()
    assert code == 0, captured.err
    assert '"preset": "deit3"' in captured.out
    saved = keras.models.load_model(tmp_path / "out" / "finetuned.keras")
    assert saved.input_shape == (None, 48, 48, 3)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "--model must be named"),
        (["--weights", "none.keras"], "No model at none.keras"),
        (["--model", "DeiT_Tii", "--weights", "none"], "Did you mean DeiT_Ti?"),
        (["--model", "DeiT_Ti", "--weights", "none", "--alpha", "2"], "--alpha"),
        (
            ["--model", "DeiT_Ti", "--weights", "none", "--teacher", "convnet"],
            "which has yet to learn them",
        ),
    ],
)
def test_wrong_flags_give_one_line_and_no_folder(
    options, said, pictures, tmp_path, capsys
):
    output = tmp_path / "out"
    assert run(*options, "--data-dir", pictures, "--output", output) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert said in error
    assert not output.exists()


@pytest.mark.parametrize(
    ("given", "size"), [({}, 384), ({"image_size": 224}, 224), ({"model": None}, None)]
)
def test_photographs_are_resized_to_the_published_size(given, size):
    settings = {"model": "cait_xxs24_384", "weights": "model.keras", **given}
    config = FinetuningSettings(preset="photographs", **settings)
    assert with_published_size(config).image_size == size
    thumbnails = FinetuningSettings(preset="thumbnails", **settings)
    assert with_published_size(thumbnails).image_size == given.get("image_size")
