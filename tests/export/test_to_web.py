"""Exports as pages: complete, described, and written whole or not at all."""

import json

import keras
import numpy as np
import onnxruntime
import pytest

import keras_cait
from keras_cait.export import to_web
from keras_cait.export.web.runtime import FILES
from keras_cait.models.classes.imagenet_classes import imagenet_names
from keras_cait.visualization import token_attention
from tests.support.export.page_export import runtime_folder
from tests.support.export.page_scripts import PAGE
from tests.support.export.samples import plausible
from tests.support.models.tiny_models import tiny_cait, tiny_deit

TINY = {"depth": 1, "patch_size": 16}


@pytest.fixture(scope="module")
def runtime(tmp_path_factory):
    return runtime_folder(tmp_path_factory.mktemp("package") / "dist").parent


@pytest.fixture(scope="module")
def exported(tmp_path_factory, runtime):
    """A CaiT for normalized rectangles, and the folder of its page."""
    preprocessing = keras_cait.Preprocessing(
        crop_pct=0.9, interpolation="bilinear", mean=(0.5,) * 3, std=(0.25,) * 3
    )
    model = plausible(
        tiny_cait(input_shape=(32, 48, 3), depth=2, preprocessing=preprocessing)
    )
    site = tmp_path_factory.mktemp("web") / "site"
    report = to_web(model, site, runtime=runtime, weights="drawn by a test")
    return model, report, site


def description_of(site):
    return json.loads((site / "model.json").read_text())


def test_the_folder_holds_page_model_and_runtime(exported):
    site = exported[2]
    found = {path.relative_to(site).as_posix() for path in site.rglob("*.*")}
    page = {path.name for path in PAGE.iterdir()}
    runtime = {f"runtime/{name}" for name in FILES}
    assert found == {*page, *runtime, "model.onnx", "model.json"}
    assert {"index.html", "style.css", "app.js", "worker.js"} <= page
    for name in page:
        assert (site / name).read_bytes() == (PAGE / name).read_bytes()


def test_the_description_has_what_the_page_needs(exported):
    model, _, site = exported
    found = description_of(site)
    assert found["name"] == model.name
    assert found["weights"] == "drawn by a test"
    assert found["isRandom"] is False
    assert found["labels"] == [f"class {index}" for index in range(10)]
    assert (found["imageSize"], found["channels"]) == ([32, 48], 3)
    assert (found["cropPct"], found["interpolation"]) == (0.9, "bilinear")
    blocks = ["Class-attention block 1", "Class-attention block 2"]
    assert found["attention"] == {"blocks": blocks, "heads": 4}
    white = [
        255 * scale + offset for scale, offset in zip(*_affine(found), strict=True)
    ]
    np.testing.assert_allclose(white, [2.0] * 3)
    for file in found["files"]:
        path, checksum = file["path"].split("?")
        assert (site / path).stat().st_size == file["size"]
        assert len(checksum) == 16


def _affine(description):
    return description["scale"], description["offset"]


def test_the_model_gives_probabilities_and_class_attention(exported):
    model, report, site = exported
    images = np.random.default_rng(0).standard_normal((2, 32, 48, 3), "float32")
    session = onnxruntime.InferenceSession(site / "model.onnx")
    names = ["probabilities", "class_attention"]
    probabilities, attention = session.run(names, {"images": images})
    expected = token_attention(model, images)["class"].values()
    np.testing.assert_allclose(attention, np.concatenate([*expected], 1), atol=1e-5)
    expected = model.predict_on_batch(images)
    np.testing.assert_allclose(probabilities, expected, atol=1e-4 * expected.max())
    assert report.format == "web"
    written = json.loads((site.parent / "site.json").read_text())
    assert written == json.loads(json.dumps(report.to_dict()))


def test_models_that_take_pixels_get_pixels(tmp_path, runtime):
    model = tiny_deit(**TINY, include_preprocessing=True, classes=1000)
    to_web(model, tmp_path / "site", runtime=runtime, weights="random", verbose=False)
    found = description_of(tmp_path / "site")
    assert _affine(found) == ([1] * 3, [0] * 3)
    assert found["isRandom"] is True
    assert found["labels"] == [name.replace("_", " ") for name in imagenet_names()]
    assert found["attention"] == {"blocks": ["Block 1"], "heads": 4}


def test_the_target_must_be_new_or_empty(exported, runtime):
    model, _, site = exported
    before = {path: path.stat().st_mtime_ns for path in site.rglob("*")}
    with pytest.raises(FileExistsError, match="folder that is not empty"):
        to_web(model, site, runtime=runtime)
    assert {path: path.stat().st_mtime_ns for path in site.rglob("*")} == before


@pytest.mark.parametrize("channels", [2, 4])
def test_models_of_other_channels_are_refused(channels, tmp_path, runtime):
    model = tiny_deit(**TINY, input_shape=(32, 32, channels))
    with pytest.raises(ValueError, match="1 or 3 channels"):
        to_web(model, tmp_path / "site", runtime=runtime)
    assert list(tmp_path.iterdir()) == []


def test_models_without_class_attention_are_refused(tmp_path, runtime):
    inputs = keras.Input((32, 32, 3))
    hidden = keras.layers.Flatten()(inputs)
    outputs = keras.layers.Dense(3, activation="softmax")(hidden)
    with pytest.raises(ValueError, match="Received"):
        to_web(keras.Model(inputs, outputs), tmp_path / "site", runtime=runtime)
    assert list(tmp_path.iterdir()) == []
