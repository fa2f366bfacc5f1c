"""Parity with small models of timm, to 1e-5 of the largest value."""

from functools import cache

import keras
import numpy as np
import pytest

import keras_cait
from tests.support import reference
from tests.support.models.tiny_models import (
    tiny_cait,
    tiny_deit,
    tiny_deit3,
    tiny_regnety,
    to_numpy,
)

# Other files do not say it; see tests/weights/metadata/test_source_metadata.py.
pytestmark = pytest.mark.filterwarnings("ignore:.* does not state the mean and std")

TRANSFORMERS = ["deit", "deit_distilled", "deit3", "cait", "cait_rect"]
NAMES = [*TRANSFORMERS, "regnety"]
RECTANGLE = {"input_shape": (32, 48, 3), "embed_dim": 24, "depth": 2, "num_heads": 3}


@cache  # nothing below changes a model
def loaded(name):
    settings = {"classifier_activation": None}
    # A file of timm does not state the grid of its patches.
    grid = (4, 6) if name == "cait_rect" else None
    if name == "cait_rect":
        model = tiny_cait(**RECTANGLE, **settings, classes=7)
    elif name == "cait":
        model = tiny_cait(**settings)
    elif name == "deit3":
        model = tiny_deit3(**settings)
    elif name == "regnety":
        model = tiny_regnety(**settings)
    else:
        model = tiny_deit(**settings, distilled=name == "deit_distilled")
    return keras_cait.load_weights(
        model, reference.weights(f"tiny/{name}"), grid_size=grid
    )


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
    if name != "deit_distilled":
        assert list(heads) == ["class"]
        assert_equals(heads["class"], expected["logits"])
    else:
        assert sorted(heads) == ["class", "distillation"]
        assert_equals(heads["class"], expected["class_logits"])
        assert_equals(heads["distillation"], expected["distillation_logits"])


@pytest.mark.parametrize("name", TRANSFORMERS)
def test_tokens_after_the_last_norm(name):
    expected = reference.numbers(f"tiny/{name}")
    model = loaded(name)
    tokens = keras.Model(model.input, model.get_layer("norm").output)
    assert_equals(tokens(expected["images_nhwc"]), expected["tokens"])


@pytest.mark.parametrize("name", TRANSFORMERS)
def test_attention_of_every_block(name):
    expected = reference.numbers(f"tiny/{name}")
    model = loaded(name)
    maps = keras_cait.attention_maps(model, expected["images_nhwc"])
    assert len(maps) == sum(key.startswith("attention/") for key in expected)
    for name, scores in maps.items():
        *stage, index, _ = name.split("_")
        blocks = "blocks_token_only" if "class" in stage else "blocks"
        assert_equals(scores, expected[f"attention/{blocks}.{index}"])
