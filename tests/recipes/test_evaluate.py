"""Reported accuracies equal those of predictions by hand."""

import numpy as np
import pytest
from PIL import Image

import keras_cait
from recipes.evaluate import main
from tests.support.data.pictures import results_of, without_compiling, write_pictures
from tests.support.models.tiny_models import randomize, to_numpy

CLASSES = ("a", "b", "c", "d", "e", "f")


@pytest.fixture
def pictures(tmp_path):
    return write_pictures(tmp_path / "data" / "val", CLASSES, size=(40, 50), number=4)


def right_by_hand(model, folder, side, crop_pct, mean, std, *tops):
    """Percent of the pictures whose class is among the `tops`, prepared with PIL."""
    pictures, labels = [], []
    for index, name in enumerate(sorted(CLASSES)):
        for path in sorted((folder / name).iterdir()):
            image = Image.open(path)
            scale = int(side / crop_pct) / min(image.size)
            size = [int(scale * length) for length in image.size]
            image = image.resize(size, Image.Resampling.BICUBIC)
            left, above = (round((length - side) / 2) for length in image.size)
            image = image.crop((left, above, left + side, above + side))
            pictures.append((np.asarray(image, "float32") / 255 - mean) / std)
            labels.append([index])
    scores = to_numpy(model(np.array(pictures, "float32")))
    order = np.argsort(-scores)
    return [100 * np.mean((order[:, :top] == labels).any(1)) for top in tops]


@pytest.mark.parametrize(
    "flags",
    [
        [],
        pytest.param(
            ["--mean", "0.5", "0.4", "0.3", "--std", "0.2", "0.3", "0.25"],
            marks=pytest.mark.slow,
        ),
    ],
)
def test_weights_in_timm_s_layout_score_as_predictions_by_hand(
    flags, pictures, tmp_path, capsys
):
    model = keras_cait.DeiT_Ti_Distilled(
        weights=None, input_shape=(32, 32, 3), classes=6
    )
    keras_cait.save_timm_weights(randomize(model), tmp_path / "model.safetensors")
    arguments = [
        *["--model", "deit_tiny_distilled_patch16_224", "--image-size", "32"],
        *["--weights", str(tmp_path / "model.safetensors"), *flags],
        *["--data-dir", str(pictures.parent), "--batch-size", "5", "--per-class"],
    ]
    with without_compiling():
        code = main(arguments)
    captured = capsys.readouterr()
    assert code == 0, captured.err
    results = results_of(captured.out)
    mean, std = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    if flags:
        mean, std = ((0.5, 0.4, 0.3), (0.2, 0.3, 0.25))
    expected = right_by_hand(model, pictures, 32, 0.9, mean, std, 1, 5)
    assert [results["top1"], results["top5"]] == pytest.approx(expected, abs=0.01)
    assert results["images"] == 24
    assert results["images_per_second"] > 0
    assert {"class_head_top1", "distillation_head_top5"} <= set(results)
    assert sum(" % of 4" in line for line in captured.out.splitlines()) == 6


def test_a_keras_file_is_evaluated_without_a_model_flag(pictures, tmp_path, capsys):
    model = keras_cait.DeiT(
        input_shape=(16, 16, 3),
        patch_size=4,
        embed_dim=8,
        depth=1,
        num_heads=2,
        classes=6,
        include_preprocessing=True,
    )
    randomize(model).save(tmp_path / "model.keras")
    weights = ["--weights", str(tmp_path / "model.keras")]
    assert main([*weights, "--data-dir", str(pictures)]) == 0
    results = results_of(capsys.readouterr().out)
    (expected,) = right_by_hand(model, pictures, 16, 1.0, 0, 1 / 255, 1)
    assert results["top1"] == pytest.approx(expected, abs=0.01)
    assert "class_head_top1" not in results


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "--model must be named"),
        (["--model", "DeiT_Tii"], "Did you mean DeiT_Ti?"),
        (["--model", "DeiT_Ti"], "ImageNet's 1000 classes. Received: images of 6"),
        (["--model", "DeiT_Ti", "--weights", "no.safetensors"], "No weights file at"),
        (["--weights", "no.keras"], "No model at no.keras"),
        (["--weights", "no.keras", "--batch-size", "0"], "--batch-size must be 1"),
    ],
)
def test_wrong_flags_give_one_line(options, said, pictures, capsys):
    assert main([*options, "--data-dir", str(pictures)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert said in error


def test_an_unknown_flag_suggests_the_nearest_one(capsys):
    assert main(["--data-dri", "x"]) == 2
    assert "Did you mean --data-dir?" in capsys.readouterr().err
