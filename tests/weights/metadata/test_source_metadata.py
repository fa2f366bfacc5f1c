"""Preprocessing and class names that files of weights state."""

import json
import warnings

import keras
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import keras_cait
from keras_cait import Preprocessing
from keras_cait.weights.metadata.hub_configurations import (
    class_names_from_config,
    preprocessing_from_config,
)
from keras_cait.weights.metadata.source_metadata import (
    SourceMetadata,
    read_source_metadata,
)
from tests.support.models.tiny_models import (
    tiny_cait,
    tiny_deit,
    tiny_deit3,
    tiny_regnety,
)

OWN = Preprocessing(
    mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.25), crop_pct=0.9, interpolation="bilinear"
)
NAMES = ("hén", "crow")
STATED = SourceMetadata(preprocessing=OWN, class_names=NAMES)


@pytest.fixture(scope="module")
def model():
    return tiny_deit(classes=2, class_names=NAMES, preprocessing=OWN, depth=1)


def without_metadata(model, path):
    keras_cait.save_timm_weights(model, path)
    save_file(load_file(path), path)
    return path


@pytest.mark.parametrize("suffix", [".safetensors", ".keras"])
def test_our_own_files_state_their_metadata(suffix, model, tmp_path):
    path = tmp_path / f"model{suffix}"
    if suffix == ".keras":
        model.save(path)
    else:
        keras_cait.save_timm_weights(model, path)
    assert read_source_metadata(path) == STATED


def test_of_nested_models_the_one_that_normalizes_counts(model, tmp_path):
    images = keras.Input((32, 32, 3))
    outer = keras_cait.layers.ImagePreprocessing(mean=(0.25,), std=(1,), normalize=True)
    keras.Model(images, model(outer(images))).save(tmp_path / "outer.keras")
    found = read_source_metadata(tmp_path / "outer.keras")
    assert found.preprocessing is not None
    assert found.preprocessing.mean == (0.25,)
    assert found.class_names == NAMES


def test_files_without_metadata_state_nothing(model, tmp_path):
    path = without_metadata(model, tmp_path / "model.safetensors")
    assert read_source_metadata(path) == SourceMetadata()
    model.save_weights(tmp_path / "model.weights.h5")
    assert read_source_metadata(tmp_path / "model.weights.h5") == SourceMetadata()
    assert read_source_metadata(tmp_path / "nowhere.safetensors") == SourceMetadata()


def test_a_config_json_counts_beside_a_file_named_as_on_the_hub(model, tmp_path):
    config = {"pretrained_cfg": {"mean": [0.5] * 3, "std": [0.5] * 3, "crop_pct": None}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    found = read_source_metadata(
        without_metadata(model, tmp_path / "model.safetensors")
    )
    assert found.preprocessing == Preprocessing(mean=(0.5,) * 3, std=(0.5,) * 3)
    # Beside any other file it may be of something else, such as a run.
    other = without_metadata(model, tmp_path / "other.safetensors")
    assert read_source_metadata(other) == SourceMetadata()


def test_a_processor_s_configuration_states_its_preprocessing():
    found = preprocessing_from_config(
        {"image_mean": [0.5] * 3, "image_std": [0.25] * 3, "resample": 2, "size": 224}
    )
    assert found == Preprocessing(
        mean=(0.5,) * 3, std=(0.25,) * 3, interpolation="bilinear"
    )
    assert preprocessing_from_config({"architecture": "resnet50"}) is None
    with pytest.warns(UserWarning, match="'lanczos', which is not available"):
        preprocessing_from_config(
            {"image_mean": [0.5], "image_std": [0.5], "resample": 1}
        )


def test_class_names_come_in_the_order_of_the_indices():
    by_index = {"id2label": {"10": "k", "2": "c", "0": "a"}}
    assert class_names_from_config(by_index) == (("a", "c", "k"), False)
    assert class_names_from_config({"num_classes": 1000}) == (None, False)


@pytest.mark.parametrize(
    "config",
    ["[]", '{"mean": [0.5], "std": [0.0]}', '{"mean": 3, "std": [1]}', "{"],
)
def test_an_invalid_configuration_is_named(config, model, tmp_path):
    path = without_metadata(model, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text(config)
    with pytest.raises(
        ValueError,
        match=r"preprocessing that .*model\.safetensors states.*State it your",
    ):
        read_source_metadata(path)


def test_load_weights_warns_about_another_mean_and_std(model, tmp_path):
    path = tmp_path / "model.safetensors"
    keras_cait.save_timm_weights(model, path)
    other = tiny_deit(classes=2, depth=1)
    with pytest.warns(UserWarning, match=r"mean=\(0.5, 0.4, 0.3\).*would be wrong"):
        keras_cait.load_weights(other, path)
    keras_cait.load_weights(tiny_deit(classes=2, depth=1, preprocessing=OWN), path)


def test_load_weights_warns_about_an_unstated_mean_and_std(model, tmp_path):
    path = without_metadata(model, tmp_path / "model.safetensors")
    with pytest.warns(
        UserWarning, match=r"does not state the mean and std.*Preprocessing"
    ):
        keras_cait.load_weights(tiny_deit(classes=2, depth=1), path)
    keras_cait.load_weights(tiny_deit(classes=2, depth=1, preprocessing=OWN), path)


@pytest.mark.parametrize(
    "build",
    [
        tiny_cait,
        *(pytest.param(b, marks=pytest.mark.slow) for b in (tiny_deit3, tiny_regnety)),
    ],
)
def test_layouts_with_one_published_normalization_load_silently(build, tmp_path):
    model = build()
    path = without_metadata(model, tmp_path / "model.safetensors")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        keras_cait.load_weights(model, path)


def test_builders_take_preprocessing_and_class_names_from_the_file(tmp_path):
    shape = {"input_shape": (16, 16, 3), "classes": 2}
    named = keras_cait.DeiT_Ti(
        weights=None, class_names=NAMES, preprocessing=OWN, **shape
    )
    path = tmp_path / "model.safetensors"
    keras_cait.save_timm_weights(named, path)
    found = keras_cait.DeiT_Ti(weights=path, include_preprocessing=True, **shape)
    assert keras_cait.preprocessing_for(found) == OWN.of_model((16, 16, 3))
    assert keras_cait.class_names_of(found) == NAMES
    pixels = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3), "uint8")
    np.testing.assert_allclose(
        found(pixels.astype("float32")),
        named(keras_cait.preprocess_input(pixels, preprocessing=OWN)),
        atol=1e-5,
    )
    # A head for other classes has no names, and what is given goes first.
    with pytest.warns(UserWarning, match="the model has 3 classes, the file 2"):
        found = keras_cait.DeiT_Ti(
            weights=path,
            preprocessing=Preprocessing(),
            **{**shape, "classes": 3},
        )
    assert keras_cait.class_names_of(found) is None
    assert keras_cait.preprocessing_for(found).crop_pct == 1.0
