"""A saved model is built again for other images and classes, with its weights."""

import warnings

import keras
import numpy as np
import pytest

import keras_cait
from keras_cait import Preprocessing
from keras_cait.layers import StochasticDepth
from keras_cait.models.published.rebuilding import rebuild
from tests.support.models.tiny_models import (
    images,
    randomize,
    tiny_cait,
    tiny_deit,
    tiny_deit3,
    tiny_regnety,
    to_numpy,
)

MODELS = {
    "deit": tiny_deit,
    "distilled deit": lambda: tiny_deit(distilled=True),
    "narrow deit": lambda: tiny_deit(mlp_ratio=2.0, num_heads=2),
    "deit3": tiny_deit3,
    "cait": lambda: tiny_cait(class_attention_depth=3),
    "distilled cait": lambda: tiny_cait(distilled=True),
}


SLOW = ("distilled deit", "narrow deit")  # one more case of the others


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(make, id=name, marks=[pytest.mark.slow] * (name in SLOW))
        for name, make in MODELS.items()
    ],
)
def test_a_rebuilt_model_computes_the_same(make, tmp_path):
    model = randomize(make())
    path = tmp_path / "model.keras"
    model.save(path)
    again = rebuild(path, input_shape=(32, 32, 3), classes=10)
    x = images(2, 32, 32, 3)
    # What the new one normalizes comes normalized to the old one.
    pixels = 255 * (x * (0.229, 0.224, 0.225) + (0.485, 0.456, 0.406))
    expected = to_numpy(model(x))
    np.testing.assert_allclose(to_numpy(again(pixels)), expected, rtol=2e-4, atol=1e-6)


def test_a_model_is_rebuilt_for_other_images_and_classes(tmp_path):
    model = randomize(tiny_cait())
    model.save(tmp_path / "model.keras")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        again = rebuild(
            tmp_path / "model.keras",
            input_shape=(48, 64, 3),
            classes=4,
            drop_path_rate=0.1,
        )
    messages = [str(warning.message) for warning in caught]
    assert any("the model has 4 classes, the file 10" in text for text in messages)
    assert again.input_shape == (None, 48, 64, 3)
    assert again.output_shape == (None, 4)
    name = "block_1_feed_forward"
    for found, expected in zip(
        again.get_layer(name).get_weights(),
        model.get_layer(name).get_weights(),
        strict=True,
    ):
        np.testing.assert_array_equal(found, expected)


def test_without_weights_the_model_starts_at_random(tmp_path):
    model = randomize(tiny_deit())
    model.save(tmp_path / "model.keras")
    again = rebuild(
        tmp_path / "model.keras",
        input_shape=(32, 32, 3),
        classes=10,
        with_weights=False,
    )
    kernel = again.get_layer("block_0_feed_forward").get_weights()[0]
    assert kernel.std() < 0.03


def stochastic(model):
    return [layer.rate for layer in model.layers if isinstance(layer, StochasticDepth)]


@pytest.mark.parametrize(("asked", "expected"), [(None, 0.3), (0.0, 0.0), (0.1, 0.1)])
def test_an_unpublished_architecture_keeps_its_own_rates(asked, expected, tmp_path):
    rates = {"dropout_rate": 0.1, "attention_dropout_rate": 0.05}
    tiny_deit(drop_path_rate=0.3, recompute=False, **rates).save(tmp_path / "m.keras")
    again = rebuild(
        tmp_path / "m.keras",
        input_shape=(32, 32, 3),
        classes=10,
        drop_path_rate=asked,
    )
    assert max(stochastic(again)) == expected
    assert again.get_layer("position_dropout").rate == 0.1
    assert again.get_layer("block_1_attention").attention_dropout_rate == 0.05
    assert again.get_layer("block_1_feed_forward").dropout_rate == 0.1


@pytest.mark.parametrize("family", [tiny_cait, tiny_deit3])
def test_a_rebuilt_model_computes_attention_as_the_file_does(family, tmp_path):
    model = family(depth=1, recompute=True, attention_implementation="blocks")
    model.save(tmp_path / "m.keras")
    again = rebuild(tmp_path / "m.keras", input_shape=(48, 32, 3), classes=10)
    attention = again.get_layer("block_0_attention")
    assert attention.implementation == "blocks"
    assert attention.recompute


def test_a_published_architecture_gets_the_published_rate(tmp_path):
    model = keras_cait.DeiT_Ti(
        weights=None, input_shape=(16, 16, 3), classes=2, drop_path_rate=0.0
    )
    model.save(tmp_path / "m.keras")
    again = rebuild(tmp_path / "m.keras", input_shape=(16, 16, 3), classes=2)
    assert max(stochastic(again)) == 0.1


def test_a_rebuilt_model_has_its_preprocessing_and_class_names(tmp_path):
    own = Preprocessing(mean=(0.5,) * 3, std=(0.25,) * 3, crop_pct=0.9)
    model = tiny_deit3(
        depth=1, classes=2, class_names=["b", "a"], preprocessing=own, init_values=0.5
    )
    path = tmp_path / "m.keras"
    randomize(model).save(path)
    again = rebuild(path, input_shape=(48, 32, 3), classes=2)
    assert keras_cait.preprocessing_for(again) == own.of_model((48, 32, 3))
    assert keras_cait.class_names_of(again) == ("b", "a")
    assert again.get_layer("block_0_scale1").init_values == 0.5
    settings = {
        "classes": 2,
        "class_names": ("a", "b"),
        "preprocessing_overrides": {"crop_pct": 1.0},
    }
    other = rebuild(path, input_shape=(32, 32, 3), **settings)
    assert keras_cait.class_names_of(other) == ("a", "b")
    assert keras_cait.preprocessing_for(other).crop_pct == 1.0
    x = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype("float32")
    expected = model(keras_cait.preprocess_input(x, preprocessing=own))
    np.testing.assert_allclose(other(x), to_numpy(expected)[:, ::-1], atol=1e-5)


def test_models_that_cannot_be_rebuilt_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="No model at"):
        rebuild(tmp_path / "none.keras", input_shape=(32, 32, 3), classes=10)
    tiny_regnety().save(tmp_path / "regnet.keras")
    with pytest.raises(ValueError, match="holds a regnet"):
        rebuild(tmp_path / "regnet.keras", input_shape=(32, 32, 3), classes=10)
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]).save(
        tmp_path / "other.keras"
    )
    with pytest.raises(ValueError, match="keras_cait"):
        rebuild(tmp_path / "other.keras", input_shape=(32, 32, 3), classes=10)
