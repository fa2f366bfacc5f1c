"""A saved model is built again for other images and classes, with its weights."""

import warnings

import keras
import numpy as np
import pytest

from keras_cait.training.rebuilding import rebuild
from tests.models.samples import (
    images,
    randomise,
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


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_it_is_the_same_model(make, tmp_path):
    model = randomise(make())
    path = tmp_path / "model.keras"
    model.save(path)
    again = rebuild(path, input_shape=(32, 32, 3), classes=10)
    x = images(2, 32, 32, 3)
    # What the new one normalises comes normalised to the old one.
    pixels = 255 * (x * (0.229, 0.224, 0.225) + (0.485, 0.456, 0.406))
    expected = to_numpy(model(x))
    np.testing.assert_allclose(to_numpy(again(pixels)), expected, rtol=2e-4, atol=1e-6)


def test_for_other_images_and_classes(tmp_path):
    model = randomise(tiny_cait())
    model.save(tmp_path / "model.keras")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        again = rebuild(
            tmp_path / "model.keras",
            input_shape=(48, 64, 3),
            classes=4,
            drop_path_rate=0.1,
        )
    said = [str(warning.message) for warning in caught]
    assert any("the model has 4 classes, the file 10" in text for text in said)
    assert again.input_shape == (None, 48, 64, 3)
    assert again.output_shape == (None, 4)
    name = "block_1_feed_forward"
    for found, expected in zip(
        again.get_layer(name).get_weights(),
        model.get_layer(name).get_weights(),
        strict=True,
    ):
        np.testing.assert_array_equal(found, expected)


def test_without_its_weights(tmp_path):
    model = randomise(tiny_deit())
    model.save(tmp_path / "model.keras")
    again = rebuild(
        tmp_path / "model.keras",
        input_shape=(32, 32, 3),
        classes=10,
        with_weights=False,
    )
    kernel = again.get_layer("block_0_feed_forward").get_weights()[0]
    assert kernel.std() < 0.03


def test_what_cannot_be_rebuilt(tmp_path):
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
