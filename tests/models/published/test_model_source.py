"""MODEL of the command line: its weights, labels, and errors."""

import json
import zipfile

import keras
import numpy as np
import pytest
from huggingface_hub import constants

import keras_cait
from keras_cait.models.published.model_source import (
    ModelSource,
    load_source,
    read_labels,
)
from tests.support.models.tiny_models import images, randomize, tiny_cait, tiny_deit

NAME = "deit_tiny_patch16_224"


def source(name=NAME, **settings):
    return load_source(ModelSource(name=name, **{"image_size": 32, **settings}))


def small(classes, **options):
    return randomize(
        keras_cait.DeiT_Ti(
            weights=None, input_shape=(32, 32, 3), classes=classes, **options
        )
    )


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache of the hub, which is offline; the fixture adds models to it."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)

    def put(repository, model):
        folder = tmp_path / "cache" / f"models--{repository.replace('/', '--')}"
        (folder / "refs").mkdir(parents=True)
        (folder / "refs" / "main").write_text("0" * 40)
        snapshot = folder / "snapshots" / ("0" * 40)
        snapshot.mkdir(parents=True)
        keras_cait.save_timm_weights(model, snapshot / "model.safetensors")

    return put


def predicts_the_same(found, model):
    """Whether it equals a model that takes normalized images."""
    pixels = 255 * np.random.default_rng(0).random((2, 32, 32, 3), dtype="float32")
    normal = keras_cait.preprocess_input(pixels)
    np.testing.assert_allclose(found(pixels), model(normal), atol=1e-5)
    return True


def test_published_weights_come_with_the_names_of_imagenet(cache):
    model = small(1000)
    cache("timm/deit_tiny_patch16_224.fb_in1k", model)
    found = source()
    assert predicts_the_same(found.model, model)
    assert found.labels is not None
    assert found.labels[:2] == ("tench", "goldfish")
    assert found.weights == f"published, of {NAME}"


def test_the_number_of_classes_comes_from_a_repository_of_the_hub(cache):
    model = small(7)
    cache("somebody/birds", model)
    found = source("DeiT_Ti", weights="hf://somebody/birds")
    assert predicts_the_same(found.model, model)
    assert (found.labels, found.weights) == (None, "hf://somebody/birds")


def test_the_number_of_classes_comes_from_a_weights_file(tmp_path):
    model = small(5)
    path = str(tmp_path / "model.safetensors")
    keras_cait.save_timm_weights(model, path)
    found = source(weights=path)
    assert predicts_the_same(found.model, model)
    assert (found.labels, found.weights) == (None, path)


def test_the_number_of_classes_comes_from_the_labels(tmp_path):
    (tmp_path / "labels.txt").write_text("a\nb\nc\n")
    found = source(weights="none", labels=tmp_path / "labels.txt")
    assert found.model.output_shape == (None, 3)
    assert (found.labels, found.weights) == (("a", "b", "c"), "random")


def test_too_few_labels_do_not_reduce_the_classes(tmp_path):
    path = tmp_path / "model.safetensors"
    keras_cait.save_timm_weights(small(5), path)
    (tmp_path / "labels.txt").write_text("a\nb\n")
    found = source(weights=str(path), labels=tmp_path / "labels.txt")
    # The exporter compares their numbers.
    assert (found.model.output_shape, found.labels) == ((None, 5), ("a", "b"))


def test_a_keras_file_is_loaded_unchanged(tmp_path):
    model = randomize(tiny_cait())
    path = str(tmp_path / "model.keras")
    model.save(path)
    found = load_source(ModelSource(name=path))
    x = images(2, 32, 32, 3)
    np.testing.assert_array_equal(found.model(x), model(x))
    assert (found.labels, found.weights) == (None, path)


def test_labels_are_stripped_lines(tmp_path):
    path = tmp_path / "labels.txt"
    path.write_bytes("\ufeffgreat white shark\r\n  hén \n\n".encode())
    assert read_labels(path) == ("great white shark", "hén")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a\n\nb\n", "line 2 is empty"),
        (b"\na\n", "line 1 is empty"),
        (b"", "no line"),
        (b"\n \n", "no line"),
        (b"\xff\xfe\x00", "UTF-8"),
    ],
)
def test_invalid_label_files_are_refused(content, message, tmp_path):
    path = tmp_path / "labels.txt"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_labels(path)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"name": "CaiT_XSX24"}, "Did you mean CaiT_XS"),
        ({"image_size": 0}, "--image-size must be 1 or more"),
        ({"image_size": 30, "weights": "none"}, "`patch_size` must divide"),
        ({"classes": 0, "weights": "none"}, "--classes must be 1 or more"),
        ({"classes": 3}, "1000 classes. Received: 3 classes"),
        ({"weights": "weights.txt"}, r"\.safetensors, \.pth"),
        ({"name": "model.keras"}, "--image-size with model.keras"),
        (
            {"name": "model.keras", "weights": "none", "classes": 3},
            "--weights, --classes, --image-size with",
        ),
    ],
)
def test_settings_that_do_not_fit_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        source(**settings)


@pytest.mark.parametrize(
    "settings",
    [
        {"name": "nowhere.keras", "image_size": None},
        {"weights": "nowhere.safetensors"},
        {"weights": "hf://somebody/nothing"},
        {"labels": "nowhere.txt"},
    ],
)
def test_missing_files_are_named(settings, cache, tmp_path):
    if "labels" in settings:
        settings = {"labels": tmp_path / "nowhere.txt"}
    with pytest.raises(OSError, match=r"nowhere|nothing"):
        source(**settings)


def test_weights_for_other_classes_are_refused(tmp_path):
    path = str(tmp_path / "model.safetensors")
    keras_cait.save_timm_weights(small(5), path)
    with pytest.raises(ValueError, match=r"head.bias should be \(4,\) but is \(5,\)"):
        source(weights=path, classes=4)


@pytest.mark.parametrize("content", [b"", b"not a model", None])
def test_incomplete_keras_files_are_refused(content, tmp_path):
    path = tmp_path / "model.keras"
    if content is None:
        tiny_deit().save(path)
        content = path.read_bytes()[:-100]
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"complete \.keras file\. .*model\.keras"):
        load_source(ModelSource(name=str(path)))


DENSE = {"module": "keras.layers", "class_name": "Dense", "registered_name": None}


@pytest.mark.parametrize(
    "config",
    [
        "[]",
        "3",
        '"text"',
        "[" * 100_000,
        '{"config": ' * 100_000,
        json.dumps({**DENSE, "class_name": {"a": 1}, "config": {}}),
        json.dumps({**DENSE, "class_name": "Unknown", "config": {}}),
        json.dumps({**DENSE, "module": 1.5, "config": {"units": 3}}),
        json.dumps({**DENSE, "config": [1]}),
        json.dumps(
            {
                "module": "keras",
                "class_name": "Functional",
                "config": {"layers": [], "input_layers": [["a"]], "output_layers": []},
                "registered_name": "Functional",
            }
        ),
    ],
    ids=lambda text: text[:30],
)
def test_a_model_file_with_any_configuration_is_refused(config, tmp_path):
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", "{}")
        archive.writestr("config.json", config)
        archive.writestr("model.weights.h5", b"")
    with pytest.raises(ValueError, match=r"model\.keras cannot be loaded: \S"):
        load_source(ModelSource(name=str(path)))


def test_a_file_with_custom_layers_is_refused(tmp_path):
    class Own(keras.layers.Layer):
        def call(self, inputs):
            return inputs

    inputs = keras.Input((32, 32, 3))
    path = str(tmp_path / "model.keras")
    keras.Model(inputs, Own()(inputs)).save(path)
    with pytest.raises(ValueError, match=r"Own.*layers of one's own.*from Python"):
        load_source(ModelSource(name=path))


def test_a_given_mean_overrides_that_of_the_weights(tmp_path):
    half = keras_cait.Preprocessing(mean=(0.5,) * 3, std=(0.5,) * 3)
    model = small(2, preprocessing=half, class_names=("a", "b"))
    path = str(tmp_path / "model.safetensors")
    keras_cait.save_timm_weights(model, path)
    found = source(weights=path)
    assert keras_cait.preprocessing_for(found.model) == half.of_model((32, 32, 3))
    assert found.labels == ("a", "b")
    found = source(weights=path, mean=(0.1, 0.2, 0.3))
    known = keras_cait.preprocessing_for(found.model)
    assert (known.mean, known.std) == ((0.1, 0.2, 0.3), (0.5,) * 3)
    model.save(tmp_path / "model.keras")
    path = str(tmp_path / "model.keras")
    assert load_source(ModelSource(name=path)).labels == ("a", "b")
    with pytest.raises(ValueError, match=r"mean and std of its own.*--mean with"):
        load_source(ModelSource(name=path, mean=(0.5,) * 3))
