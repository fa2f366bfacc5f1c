"""A model keeps how its images are prepared, and the names of its classes."""

import json
import zipfile
from functools import partial

import keras
import numpy as np
import pytest

import keras_cait
from keras_cait import Preprocessing
from keras_cait.export.folding.full_precision import in_float32
from keras_cait.models.classes.names import with_class_names
from keras_cait.models.pixel_inputs import takes_pixels
from keras_cait.models.published.preprocessing import preprocessing_or_default
from tests.support.models.tiny_models import (
    randomize,
    tiny_cait,
    tiny_deit,
    tiny_deit3,
    tiny_regnety,
    to_numpy,
)


def tiny(build):
    """A family's smallest, the others' cases being for `make slow`."""
    return partial(build, **({} if build is tiny_regnety else {"depth": 1}))


FAMILIES = [
    tiny(tiny_deit),
    pytest.param(tiny(tiny_deit3), marks=pytest.mark.slow),
    tiny(tiny_cait),
    pytest.param(tiny_regnety, marks=pytest.mark.slow),
]
OWN = Preprocessing(
    mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.25), crop_pct=0.9, interpolation="bilinear"
)
NAMES = tuple("abcdefghij")
PIXELS = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype("float32")


def own(build, **settings):
    return build(preprocessing=OWN, class_names=NAMES, **settings)


def saved(model, folder):
    model.save(folder / "model.keras")
    return keras.saving.load_model(folder / "model.keras")


@pytest.mark.parametrize("build", FAMILIES)
@pytest.mark.parametrize("include_preprocessing", [True, False])
def test_a_saved_model_has_its_preprocessing_and_class_names(
    build, include_preprocessing, tmp_path
):
    model = own(build, include_preprocessing=include_preprocessing)
    found = saved(model, tmp_path)
    assert keras_cait.preprocessing_for(found) == OWN.of_model(model.input_shape[1:])
    assert keras_cait.class_names_of(found) == NAMES
    assert takes_pixels(found) == include_preprocessing


@pytest.mark.parametrize(
    "again",
    [
        keras.models.clone_model,
        in_float32,
        lambda model: keras.Model(model.input, model.output),
        lambda model: keras.Sequential([keras.Input((32, 32, 3)), model]),
    ],
    ids=["clone", "float32", "model", "sequential"],
)
def test_models_of_the_same_layers_have_both(again):
    found = again(own(tiny_deit))
    assert keras_cait.preprocessing_for(found) == OWN.of_model((32, 32, 3))
    assert keras_cait.class_names_of(found) == NAMES
    assert not takes_pixels(found)


def test_another_head_has_other_names():
    model = own(tiny_deit)
    features = model.get_layer("norm").output[:, 0]
    other = keras.Model(model.input, keras.layers.Dense(10)(features))
    assert keras_cait.class_names_of(other) is None
    assert keras_cait.preprocessing_for(other).mean == OWN.mean
    named = with_class_names(other, NAMES[::-1])
    assert keras_cait.class_names_of(named) == NAMES[::-1]
    assert keras_cait.class_names_of(with_class_names(named, NAMES)) == NAMES
    assert len(named.layers) == len(other.layers) + 1


@pytest.mark.parametrize("build", FAMILIES)
def test_images_are_normalized_with_its_own_statistics(build):
    inside = randomize(own(build, include_preprocessing=True))
    outside = own(build)
    outside.set_weights(inside.get_weights())
    pixels = np.resize(PIXELS, (2, *inside.input_shape[1:]))
    by_hand = (pixels / 255 - OWN.mean) / OWN.std
    normalized = keras_cait.preprocess_input(pixels, preprocessing=outside)
    np.testing.assert_allclose(normalized, by_hand, atol=1e-5)
    np.testing.assert_allclose(
        to_numpy(inside(pixels)), to_numpy(outside(normalized)), rtol=1e-4, atol=1e-6
    )
    # What normalizes by itself takes pixels as they are.
    same = keras_cait.preprocess_input(pixels, preprocessing=inside)
    np.testing.assert_array_equal(same, pixels)


def test_files_of_weights_do_not_contain_either(tmp_path):
    """Their names are of layers by kind and place: neither layer has weights."""
    model = randomize(own(tiny_deit, include_preprocessing=True))
    model.save_weights(tmp_path / "model.weights.h5")
    plain = tiny_deit()
    plain.load_weights(tmp_path / "model.weights.h5")
    for one, other in zip(plain.weights, model.weights, strict=True):
        np.testing.assert_array_equal(to_numpy(one), to_numpy(other))


def as_before(model, path):
    """Saves a model as it was saved when there was a layer of Keras for both."""
    model.save(path)
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(files["config.json"])
    rows = config["config"]["layers"]
    for row in rows:
        kept = row["config"]
        if row["class_name"] == "Predictions":
            del kept["class_names"]
            row["class_name"] = "Activation"
        elif row["class_name"] == "ImagePreprocessing":
            row["class_name"] = "Rescaling"
            layer = model.get_layer("preprocessing")
            names = ("name", "trainable", "dtype")
            row["config"] = {name: kept[name] for name in names}
            row["config"] |= {"scale": layer.scale, "offset": layer.offset}
        else:
            continue
        row |= {"module": "keras.layers", "registered_name": None}
    text = json.dumps(config).replace('"preprocessing"', '"normalize"')
    files["config.json"] = text.encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return keras.saving.load_model(path)


@pytest.mark.parametrize(
    "build", [tiny(tiny_deit), pytest.param(tiny_regnety, marks=pytest.mark.slow)]
)
def test_files_without_either_layer_load_and_take_pixels(build, tmp_path):
    model = randomize(build(include_preprocessing=True))
    found = as_before(model, tmp_path / "model.keras")
    assert type(found.get_layer("normalize")) is keras.layers.Rescaling
    pixels = np.resize(PIXELS, (2, *model.input_shape[1:]))
    np.testing.assert_array_equal(to_numpy(found(pixels)), to_numpy(model(pixels)))
    assert takes_pixels(found)
    assert keras_cait.preprocessing_for(found) == keras_cait.preprocessing_for(model)
    assert keras_cait.class_names_of(found) is None


def test_other_models_take_pixels_and_get_the_default():
    images = keras.Input((16, 16, 3))
    x = keras.layers.Rescaling(1 / 127.5, offset=-1)(images)
    other = keras.Model(images, keras.layers.Conv2D(4, 3)(x))
    assert takes_pixels(other)
    assert preprocessing_or_default(other) == Preprocessing().of_model((16, 16, 3))
    with pytest.raises(ValueError, match="no counterpart"):
        keras_cait.preprocessing_for(other)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"class_names": ["a", "b"]}, "name the 10 classes.*Received: 2 class_names"),
        ({"class_names": "abcdefghij"}, "must be a list of names"),
        ({"class_names": NAMES, "include_top": False}, "include_top=True"),
        ({"preprocessing": Preprocessing(image_size=(8, 8))}, "must be that of the mo"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        tiny_deit(**settings)
