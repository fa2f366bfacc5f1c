"""Attention maps of a model."""

import keras
import numpy as np
import pytest

import keras_cait
from tests.support.models.tiny_models import (
    images,
    randomize,
    tiny_cait,
    tiny_deit,
    tiny_regnety,
    to_numpy,
)


@pytest.mark.parametrize("make", [tiny_cait, tiny_deit])
def test_attention_maps_leave_the_model_unchanged(make):
    model = randomize(make(distilled=True, drop_path_rate=0.5))
    x = images(2, 32, 32, 3)
    before = to_numpy(model(x))
    maps = keras_cait.attention_maps(model, x)
    np.testing.assert_array_equal(to_numpy(model(x)), before)
    blocks = [f"block_{index}_attention" for index in range(3)]
    if make is tiny_cait:
        blocks += ["class_block_0_attention", "class_block_1_attention"]
        assert maps["class_block_1_attention"].shape == (2, 4, 2, 18)
    assert list(maps) == blocks
    for scores in maps.values():
        np.testing.assert_allclose(scores.sum(-1), 1, rtol=1e-5)


def test_a_model_without_attention_is_refused():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)], name="plain")
    with pytest.raises(ValueError, match="'plain'"):
        keras_cait.attention_maps(model, np.zeros((1, 4)))
    with pytest.raises(ValueError, match=r"attention layers.*Received: 'regnety"):
        keras_cait.attention_maps(tiny_regnety(), np.zeros((1, 64, 64, 3)))
