import json
import zipfile

import keras
import numpy as np
import pytest

from keras_cait.models.published.saved_models import load_saved_model
from tests.support.models.tiny_models import images, randomize, tiny_deit, to_numpy


class Own(keras.layers.Layer):
    """A layer that is defined in this file alone."""

    def call(self, inputs):
        return inputs


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.keras"


def save_small(path, *layers):
    model = keras.Sequential([keras.Input((2,)), *layers, keras.layers.Dense(3)])
    model.save(path)
    return model


def test_a_saved_model_is_loaded(path):
    model = randomize(tiny_deit(depth=1))
    model.save(path)
    x = images(1, 32, 32, 3)
    found = load_saved_model(path)
    np.testing.assert_array_equal(to_numpy(found(x)), to_numpy(model(x)))
    assert not found.compiled


def test_an_unknown_layer_is_named_with_what_to_do(path):
    save_small(path, Own())
    with pytest.raises(ValueError, match="cannot be loaded") as error:
        load_saved_model(path)
    for text in (str(path), "the class 'Own'", "register_keras_serializable"):
        assert text in str(error.value)
    with pytest.raises(ValueError, match=r"the class 'Own'. Do this.$"):
        load_saved_model(path, advice="Do this.")


def test_weights_that_are_not_finite_are_named(path):
    model = save_small(path)
    model.weights[1].assign([0.0, np.nan, 1.0])
    model.save(path)
    with pytest.raises(ValueError, match=r"infinity in 1 of 2: .*bias") as error:
        load_saved_model(path, kind="teacher")
    assert f"the teacher must be finite. Received: {path}" in str(error.value)


@pytest.mark.parametrize(
    "config",
    [
        b"",
        b"null",
        b"[" * 100_000,
        b'{"module": "os", "class_name": "system", "config": {}}',
        b'{"module": "keras.layers", "class_name": "Dense", "config": {"units": 1}}',
    ],
)
def test_other_configurations_end_in_one_error(config, path):
    save_small(path)
    with zipfile.ZipFile(path) as archive:
        weights = archive.read("model.weights.h5")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", config)
        archive.writestr("model.weights.h5", weights)
    with pytest.raises(ValueError, match=r"The model") as error:
        load_saved_model(path)
    assert str(path) in str(error.value)


@pytest.mark.slow  # the machine looks for a while
def test_a_layer_too_large_for_the_machine_ends_in_one_error(path):
    save_small(path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    config["config"]["layers"][-1]["config"]["units"] = 10**14
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in {**members, "config.json": json.dumps(config)}.items():
            archive.writestr(name, data)
    with pytest.raises(ValueError, match="cannot be loaded"):
        load_saved_model(path)
