"""The command `keras-cait`: what users type, print and read."""

import json
from importlib import import_module

import keras
import numpy as np
import pytest
from cyclopts import App
from safetensors.numpy import load_file, save_file

import keras_cait
from keras_cait.cli.app import COMMANDS, main
from tests.support.command import COMMAND, run_python
from tests.support.models.tiny_models import randomize, tiny_cait, tiny_deit
from tests.support.source_tree import ROOT

# The public names stay complete, and a file's layers are known, behind the command.
FULL = """
import sys
import keras_cait_command
import keras_cait
assert "keras" not in sys.modules
assert keras_cait.CaiT_XXS24.__name__ == "CaiT_XXS24"
assert "huggingface_hub.file_download" not in sys.modules  # slow, and seldom used
assert not hasattr(keras_cait, "_private")
try:
    keras_cait.CaiT_XXS25
except AttributeError as error:
    print(error)
"""


@pytest.fixture
def photo(tmp_path):
    """A wide picture in a folder of its own, bright on the right."""
    (tmp_path / "photos").mkdir()
    pixels = np.zeros((60, 120, 3), "uint8")
    pixels[:, 60:] = 255
    keras.utils.save_img(tmp_path / "photos" / "photo.png", pixels)
    return tmp_path / "photos" / "photo.png"


@pytest.fixture
def model(tmp_path):
    """A file of a small CaiT with class names."""
    names = [f"bird {index}" for index in range(10)]
    built = tiny_cait(class_names=names, include_preprocessing=True, distilled=True)
    randomize(built).save(tmp_path / "birds.keras")
    return str(tmp_path / "birds.keras")


def test_public_names_are_there_behind_the_command():
    done = run_python("-c", FULL)
    assert done.returncode == 0, done.stderr
    assert "Did you mean CaiT_XXS24?" in done.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_the_summary_of_a_command_is_that_of_its_docstring(name):
    place, summary = COMMANDS[name]
    module, _, member = place.partition(":")
    found = getattr(import_module(f"keras_cait.cli.{module}"), member)
    text = found.help if isinstance(found, App) else found.__doc__
    assert text.splitlines()[0] == summary


def test_list_has_every_published_name(capsys):
    assert main(["list"]) == 0
    names = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert sorted(set(names)) == keras_cait.list_models()


@pytest.mark.parametrize(
    ("pattern", "count"),
    [("DeiT3_*", 16), ("xxs24", 2), ("CAIT", 10), ("cait*_384", 6), ("xxs24*", 0)],
)
def test_list_takes_a_part_of_a_name_or_a_pattern(capsys, pattern, count):
    assert main(["list", pattern]) == (0 if count else 2)
    rows = capsys.readouterr().out.splitlines()
    assert len(rows) == count
    part = pattern.strip("*").split("*")[0].lower()
    assert all(part in row.lower() for row in rows)


def test_info_of_a_name_and_of_a_file(capsys, model):
    assert main(["info", "deit_tiny_distilled_patch16_224", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["parameters"] == 5_910_800  # DeiT, table 5, with both heads
    assert found["input"] == [224, 224, 3]
    assert found["crop_pct"] == 0.9
    assert main(["info", model]) == 0
    assert "32, 32, 3\n" in capsys.readouterr().out


def test_predictions_are_those_of_the_model(capsys, model, photo):
    keras.utils.save_img(photo.with_name("black.png"), np.zeros((32, 32, 3)))
    assert main(["predict", str(photo.parent), "--model", model, "--json"]) == 0
    black, found = json.loads(capsys.readouterr().out)
    assert black["image"].endswith("black.png")
    loaded = keras.saving.load_model(model)
    expected = keras_cait.decode_predictions(
        loaded.predict(np.zeros((1, 32, 32, 3)), verbose=0), model=loaded
    )[0]
    assert [row["name"] for row in black["classes"]] == [row[1] for row in expected]
    probabilities = [row["probability"] for row in black["classes"]]
    assert probabilities == pytest.approx([row[2] for row in expected], abs=1e-5)
    assert found["classes"] != black["classes"]
    assert main(["predict", str(photo), "-m", model, "--top", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert lines[1].endswith(found["classes"][0]["name"])


@pytest.mark.slow
def test_a_model_with_fewer_classes_than_five_shows_all(capsys, tmp_path, photo):
    tiny_cait(classes=2, class_names=["cat", "dog"]).save(tmp_path / "two.keras")
    flags = ["--model", str(tmp_path / "two.keras")]
    assert main(["predict", str(photo), *flags]) == 0
    named = [line.split()[-1] for line in capsys.readouterr().out.splitlines()[1:]]
    assert sorted(named) == ["cat", "dog"]
    assert main(["predict", str(photo), *flags, "--top", "5"]) == 2
    assert "--top must be in [1, 2]" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("picture", "suffix"),
    [
        ("heads", ".png"),
        ("rollout", ".svg"),
        pytest.param("overlay", ".png", marks=pytest.mark.slow),
    ],
)
def test_attention_pictures_are_written(capsys, model, photo, picture, suffix):
    target = photo.with_name(f"attention{suffix}")
    flags = ["--model", model, "--output", str(target), "--picture", picture]
    assert main(["attend", str(photo), *flags]) == 0
    assert f"attention to {photo}" in capsys.readouterr().out
    content = target.read_bytes()
    assert content.startswith({".png": b"\x89PNG", ".svg": b"<?xml"}[suffix])
    assert main(["attend", str(photo), *flags]) == 2
    assert "exists" in capsys.readouterr().err
    assert main(["attend", str(photo), *flags, "--overwrite"]) == 0


def test_random_weights_are_named_as_such(capsys, tmp_path, photo, model):
    assert main(["predict", str(photo), "--model", model]) == 0
    assert "random weights" not in capsys.readouterr().err
    flags = ["--model", "deit_tiny_patch16_224", "--image-size", "32"]
    assert main(["predict", str(photo), *flags, "--weights", "none"]) == 0
    assert "random weights, so random classes" in capsys.readouterr().err


def test_a_model_that_takes_normalized_images_is_served_too(capsys, tmp_path, photo):
    plain = randomize(tiny_deit(input_shape=(24, 40, 3)))
    plain.save(tmp_path / "plain.keras")
    flags = ["--model", str(tmp_path / "plain.keras")]
    assert main(["predict", str(photo), *flags, "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["classes"][0]["name"].startswith("class ")
    target = tmp_path / "a.png"
    assert main(["attend", str(photo), *flags, "--output", str(target)]) == 0
    assert target.is_file()


def test_python_s_warnings_are_printed_after_loading(capsys, tmp_path, photo):
    source = tmp_path / "weights.safetensors"
    keras_cait.save_timm_weights(keras_cait.DeiT_Ti(weights=None), source)
    # Without metadata, as in a layout that exists with other statistics too.
    save_file(load_file(source), source)
    flags = ["--model", "DeiT_Ti", "--weights", str(source)]
    with pytest.warns(UserWarning, match="does not state the mean and std"):
        assert main(["predict", str(photo), *flags]) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["lst"], 'Did you mean "list"?'),
        (
            ["benchmark", "inference", "--top"],
            "See keras-cait benchmark inference --help.",
        ),
        (["list", "zzz"], "Received: 'zzz'"),
        (["info", "cait_xxs24_225"], "Did you mean cait_xxs24_224?"),
        (["predict", "--model", "CaiT_XXS24"], "IMAGES requires an argument"),
        (["predict", "no.jpg", "--model", "CaiT_XXS24"], "No image at no.jpg"),
        (["predict", "README.md", "--model", "no.keras"], "No model at no.keras"),
        (["predict", "README.md", "--modle", "x"], "Did you mean --model?"),
        (
            ["attend", "README.md", "-m", "x", "-o", "a.gif"],
            "must end in .png",
        ),
        (["attend", "docs", "-m", "x", "-o", "a.png"], "No image at docs"),
        (["distill", "dait"], 'Did you mean "deit"?'),
        (["distill", "--studnet", "DeiT_S"], "Did you mean --student?"),
        (["train", "--epochs", "0"], "--epochs must be 1 or more"),
        (["train", "--augment", "rand-z9"], "rand-z9"),
        (["finetune", "--weights", "a.pth"], "--model must be named"),
        (["evaluate", "--model", "DeiT_T"], "Did you mean DeiT_Ti?"),
        (["convert", "a.keras", "a.onnx"], "must end in .keras"),
        (["convert", "a.keras", "README.keras"], "No model at a.keras"),
        (["convert", "a.weights.h5", "b.keras"], "--model names the model of"),
        (["convert", "a.pth", "b.keras", "-m", "DeiT_S"], "and of no other"),
    ],
)
def test_mistakes_end_with_one_line_and_code_2(capsys, arguments, message, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert main(arguments) == 2
    *loading, line = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert message in line
    assert all(one.startswith("loading ") for one in loading)


@pytest.mark.slow  # the hub is asked six times
def test_without_a_network_there_is_one_line(photo, tmp_path):
    where = {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(tmp_path)}
    done = run_python(*COMMAND, "predict", photo, "-m", "cait_xxs24_224", **where)
    loading, error = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (2, "")
    assert loading == "loading Keras and cait_xxs24_224 ... failed"
    assert error.endswith("pass --weights none, or the path of a file.")


def test_a_folder_without_images_is_refused(capsys, tmp_path):
    assert main(["predict", str(tmp_path), "--model", "CaiT_XXS24"]) == 2
    assert f"{tmp_path}, a folder without any" in capsys.readouterr().err


def test_an_image_that_cannot_be_decoded_is_named(capsys, model, tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"broken")
    assert main(["predict", str(tmp_path / "broken.jpg"), "--model", model]) == 2
    error = capsys.readouterr().err
    assert "broken.jpg, which cannot be decoded (no JPEG, PNG" in error


def test_a_model_whose_last_activation_is_another_one_is_refused(
    capsys, tmp_path, photo
):
    other = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten()])
    other.add(keras.layers.Dense(3, activation="sigmoid"))
    other.save(tmp_path / "other.keras")
    flags = ["--model", str(tmp_path / "other.keras")]
    assert main(["predict", str(photo), *flags]) == 2
    assert "last activation is another one" in capsys.readouterr().err
    assert main(["predict", str(photo), *flags, "--top", "11"]) == 2
