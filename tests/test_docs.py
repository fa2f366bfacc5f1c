"""Documentation: its Python runs, its commands and links exist."""

import re
import shutil
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_cait
from tests.support.documentation import (
    PAGES,
    anchors_of,
    commands_in,
    help_of,
    links_in,
    python_in,
)
from tests.support.source_tree import ROOT

README, MODELS = python_in("README.md"), python_in("docs/models.md")


def test_the_readme_s_ten_lines_build_distill_save_and_predict(
    run, tmp_path, monkeypatch, capsys
):
    """After `make distill`, whose teacher they take; here after a small run of it."""
    shutil.copytree(run.folder / "build", tmp_path / "build")
    monkeypatch.chdir(tmp_path)
    code = README[0]
    statements = [line for line in code.splitlines() if line and line[0] != " "]
    assert len(statements) == 10
    names: dict = {}
    exec(code, names)
    assert (tmp_path / "student.keras").is_file()
    assert names["images"].max() == pytest.approx(255)
    assert "[0 1 2 3 4]" in capsys.readouterr().out
    predictions = names["student"].predict(names["images"], verbose=0)
    assert np.mean(predictions.argmax(-1) == names["labels"]) > 0.5


def photographs(folder, classes, each):
    """A folder a class, with JPEG files of one color a class."""
    generator = np.random.default_rng(0)
    for name in map(str, range(classes)):
        (folder / name).mkdir(parents=True)
        color = generator.integers(0, 256, 3)
        for index in range(each):
            noise = generator.integers(-20, 20, (60, 80, 3))
            pixels = np.clip(color + noise, 0, 255).astype("uint8")
            keras.utils.save_img(folder / name / f"{index}.jpg", pixels, scale=False)


@pytest.mark.slow
def test_ten_lines_fine_tune_a_published_model(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    photographs(tmp_path / "photos", classes=10, each=1)
    shutil.copy(tmp_path / "photos" / "3" / "0.jpg", "photo.jpg")
    source = keras_cait.CaiT_XXS24(weights=None)
    keras_cait.save_timm_weights(source, "cait_xxs24_224.safetensors")
    names: dict = {}
    assert len(re.findall(r"^\w", MODELS[0], re.MULTILINE)) <= 10
    # One step does not repay the minute that compiling it would take.
    tf.config.run_functions_eagerly(True)
    keras.config.set_max_epochs(1)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            exec(MODELS[0], names)
    finally:
        keras.config.set_max_epochs(None)
        tf.config.run_functions_eagerly(False)
    messages = [str(w.message) for w in caught]
    assert sum("has 10 classes, the file 1000" in text for text in messages) == 1
    assert capsys.readouterr().out.splitlines()[-1] in names["train"].class_names
    saved = keras.saving.load_model("photos.keras")
    assert saved.output_shape == (None, 10)
    before = source.get_layer("norm").get_weights()
    after = saved.get_layer("norm").get_weights()
    assert not np.array_equal(before[0], after[0])  # the whole model was trained


@pytest.mark.slow
def test_the_lines_on_heads_maps_and_features_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = keras_cait.DeiT_S(weights=None)
    keras_cait.save_timm_weights(source, "deit_small.safetensors")
    images = np.zeros((1, 224, 320, 3), "float32")
    names: dict = {"keras": keras, "keras_cait": keras_cait, "images": images}
    exec(MODELS[1], names)
    assert names["model"].output_shape == (None, 1000)
    assert names["maps"]["block_0_attention"].shape == (1, 6, 281, 281)
    assert names["rollout"].shape == (1, 14, 20)
    assert list(names["features"]) == ["block_5", "block_11"]
    assert names["features"]["block_5"].shape == (1, 14, 20, 384)
    assert names["tokens"].shape == (1, 281, 384)
    assert len(names["best"][0]) == 3
    assert names["crop"] == 0.9
    assert (tmp_path / "mine.safetensors").is_file()


def test_the_readme_s_lines_on_models_run():
    names: dict = {"keras_cait": keras_cait}
    exec(README[1], names)
    assert names["model"].count_params() == names["same"].count_params() == 11956264


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_files_and_headings(page):
    here = ROOT / page
    missing = []
    for path, anchor in links_in(page):
        target = here.parent / path if path else here
        if not target.exists() or (anchor and anchor not in anchors_of(target)):
            missing.append(f"{path}#{anchor}")
    assert missing == []


@pytest.mark.parametrize("page", PAGES)
def test_commands_name_programs_and_flags_that_exist(page):
    ours = ("recipes", "keras_cait", "export", "keras-cait")
    for name, flags in commands_in(page):
        if name.partition(" ")[0].split(".")[0] not in ours:
            continue
        known = set(re.findall(r"--[a-z][a-z-]*", help_of(name)))
        assert flags <= known | {"--help"}, name
