"""What timm's small models compute, to 1e-5 of the largest value."""

import keras
import numpy as np
import pytest

import keras_cait
from tests.models.samples import tiny_deit, to_numpy
from tests.parity import reference

NAMES = ["deit", "deit_distilled"]


def loaded(name):
    model = tiny_deit(distilled=name == "deit_distilled", classifier_activation=None)
    return keras_cait.load_weights(model, reference.weights(f"tiny/{name}"))


def assert_equals(found, expected):
    found = to_numpy(found)
    assert found.shape == expected.shape
    atol = 1e-5 * np.max(np.abs(expected))
    np.testing.assert_allclose(found, expected, rtol=0, atol=atol)


@pytest.mark.parametrize("name", NAMES)
def test_logits(name):
    expected = reference.numbers(f"tiny/{name}")
    assert_equals(loaded(name)(expected["images_nhwc"]), expected["logits"])


@pytest.mark.parametrize("name", NAMES)
def test_heads(name):
    expected = reference.numbers(f"tiny/{name}")
    heads = keras_cait.separate_heads(loaded(name))(expected["images_nhwc"])
    if name == "deit":
        assert list(heads) == ["class"]
        assert_equals(heads["class"], expected["logits"])
    else:
        assert sorted(heads) == ["class", "distillation"]
        assert_equals(heads["class"], expected["class_logits"])
        assert_equals(heads["distillation"], expected["distillation_logits"])


@pytest.mark.parametrize("name", NAMES)
def test_tokens_after_the_last_norm(name):
    expected = reference.numbers(f"tiny/{name}")
    model = loaded(name)
    tokens = keras.Model(model.input, model.get_layer("norm").output)
    assert_equals(tokens(expected["images_nhwc"]), expected["tokens"])


@pytest.mark.parametrize("name", NAMES)
def test_attention_of_every_block(name):
    expected = reference.numbers(f"tiny/{name}")
    model = loaded(name)
    layers = [model.get_layer(f"block_{index}_attention") for index in range(3)]
    before = keras.Model(model.input, [layer.input for layer in layers])
    for index, (layer, x) in enumerate(
        zip(layers, before(expected["images_nhwc"]), strict=True)
    ):
        _, scores = layer(x, return_attention_scores=True)
        assert_equals(scores, expected[f"attention/blocks.{index}"])
