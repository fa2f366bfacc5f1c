"""The number of operations equals the papers' tables, and grows as the formulas say."""

import keras
import numpy as np
import pytest

import keras_cait
from keras_cait.models.published.flops import flops
from keras_cait.variants import VARIANTS

# Multiply-adds in 10**9 by image size. CaiT: table 3 of its paper; DeiT and RegNetY:
# timm's results/; DeiT III: table 1 of its paper.
PUBLISHED = {
    "CaiT_XXS24": {224: 2.5, 384: 9.6},
    "CaiT_XXS36": {224: 3.8, 384: 14.3},
    "CaiT_XS24": {224: 5.4, 384: 19.3},
    "CaiT_XS36": {224: 8.1, 384: 28.8},
    "CaiT_S24": {224: 9.4, 384: 32.2},
    "CaiT_S36": {224: 13.9, 384: 48.0},
    "CaiT_S48": {224: 18.6, 384: 63.8},
    "CaiT_M24": {224: 36.0, 384: 116.1},
    "CaiT_M36": {224: 53.7, 384: 173.3},
    "CaiT_M48": {448: 329.6},
    "DeiT_Ti": {224: 1.26},
    "DeiT_S": {224: 4.61},
    "DeiT_B": {224: 17.58, 384: 55.54},
    "DeiT_Ti_Distilled": {224: 1.27},
    "DeiT_S_Distilled": {224: 4.63},
    "DeiT_B_Distilled": {224: 17.68, 384: 55.65},
    "DeiT3_S": {224: 4.6, 384: 15.5},
    "DeiT3_M": {224: 8.0},
    "DeiT3_B": {224: 17.5, 384: 55.5},
    "DeiT3_L": {224: 61.6, 384: 191.2},
    "DeiT3_H": {224: 167.4},
    "RegNetY_16GF": {224: 15.96},
}


# One of each family and kind; `make slow` builds the others.
SOON = ("CaiT_XXS24", "DeiT_Ti_Distilled", "DeiT3_S", "RegNetY_16GF")
CASES = [
    pytest.param(name, marks=[] if name in SOON else pytest.mark.slow)
    for name in PUBLISHED
]


def test_every_published_model_is_in_the_table():
    assert PUBLISHED.keys() == VARIANTS.keys()


@pytest.mark.parametrize("name", CASES)
def test_half_of_the_operations_are_the_published_multiply_adds(name):
    for size, published in PUBLISHED[name].items():
        shape = (size, size, 3)
        model = keras_cait.create_model(name, weights=None, input_shape=shape)
        found = flops(model) / 2e9
        # The tables also count norms and activations, 0.5 % of the smallest model.
        assert found == pytest.approx(published, rel=0.015)


def sizes(**changed):
    return {
        "input_shape": (32, 32, 3),
        "patch_size": 8,
        "embed_dim": 16,
        "depth": 2,
        "num_heads": 4,
        "classes": 5,
        **changed,
    }


@pytest.mark.parametrize("family", [keras_cait.CaiT, keras_cait.DeiT])
def test_every_block_costs_the_same(family):
    counts = [flops(family(**sizes(depth=depth))) for depth in (1, 2, 3, 5)]
    steps = np.diff(counts) / [1, 1, 2]
    assert steps.min() == steps.max() > 0


def test_one_block_costs_its_products():
    """CaiT's block: 12 dim**2 a token, 2 dim and 2 heads**2 a pair of tokens."""
    tokens, dim, heads = 16, 16, 4
    one, two = (flops(keras_cait.CaiT(**sizes(depth=depth))) for depth in (1, 2))
    linear, pairs = 12 * dim**2, 2 * dim + 2 * heads**2
    assert (two - one) / 2 == tokens * linear + tokens**2 * pairs


def test_a_model_inside_a_model_counts_once():
    model = keras_cait.DeiT(**sizes())
    images = keras.Input(model.input_shape[1:])
    outer = keras.Model(images, keras.layers.Dense(3)(model(images)))
    assert flops(outer) == flops(model) + 2 * 5 * 3
