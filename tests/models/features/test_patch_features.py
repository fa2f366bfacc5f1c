"""Features of patches: their place, their values, and a model that gives them."""

import keras
import numpy as np
import pytest

import keras_cait
from tests.support.models.tiny_models import (
    changed_patches,
    images,
    randomize,
    tiny_cait,
    tiny_deit,
    tiny_deit3,
    tiny_regnety,
    to_numpy,
)

FAMILIES = [tiny_cait, tiny_deit, tiny_deit3]


@pytest.mark.parametrize("make", FAMILIES)
def test_normalized_features_of_the_last_block_are_the_tokens_of_a_headless_model(make):
    model = randomize(make(input_shape=(24, 40, 3)))
    tokens = randomize(make(input_shape=(24, 40, 3), include_top=False))
    x = images(2, 24, 40, 3)
    expected = to_numpy(tokens(x))[:, -15:].reshape(2, 3, 5, 32)
    found = keras_cait.feature_maps(model, x, normalized=True)
    assert list(found) == ["block_2"]
    np.testing.assert_allclose(found["block_2"], expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("make", FAMILIES)
def test_the_features_of_a_patch_are_at_its_place(make):
    """In an image of one color all patches but a changed one have equal features."""
    model = randomize(make(input_shape=(24, 40, 3)))
    for x, place in changed_patches(model):
        for features in keras_cait.feature_maps(model, x, range(3)).values():
            distance = abs(features[0] - np.median(features[0], (0, 1))).sum(-1)
            assert np.unravel_index(distance.argmax(), (3, 5)) == place


def test_blocks_come_in_the_given_order_and_leave_the_model_unchanged():
    model = randomize(tiny_deit(distilled=True, drop_path_rate=0.5))
    x = images(2, 32, 32, 3)
    before = to_numpy(model(x))
    found = keras_cait.feature_maps(model, x, blocks=[-1, 0])
    assert {name: rows.shape for name, rows in found.items()} == {
        "block_2": (2, 4, 4, 32),
        "block_0": (2, 4, 4, 32),
    }
    np.testing.assert_array_equal(to_numpy(model(x)), before)


def test_a_feature_model_is_a_backbone_that_trains_and_is_saved(tmp_path):
    model = randomize(tiny_cait(input_shape=(24, 40, 3)))
    backbone = keras_cait.feature_model(model, blocks=[0, 2])
    head = keras.layers.Conv2D(4, 1, activation="softmax")
    segmenter = keras.Model(backbone.input, head(backbone.output["block_2"]))
    segmenter.compile("sgd", "sparse_categorical_crossentropy")
    kernel = model.get_layer("patch_embedding").weights[0]
    before = to_numpy(kernel)
    segmenter.fit(images(4, 24, 40, 3), np.ones((4, 3, 5)), verbose=0)
    assert not np.array_equal(to_numpy(kernel), before)
    backbone.save(tmp_path / "backbone.keras")
    loaded = keras.saving.load_model(tmp_path / "backbone.keras")
    x = images(2, 24, 40, 3)
    for name, features in backbone(x).items():
        np.testing.assert_allclose(
            to_numpy(loaded(x)[name]), to_numpy(features), rtol=1e-5, atol=1e-5
        )


def test_features_at_full_size():
    model = keras_cait.DeiT_Ti_Distilled(weights=None, input_shape=(224, 320, 3))
    found = keras_cait.feature_maps(model, images(1, 224, 320, 3), [2, 5, 8, 11])
    assert [rows.shape for rows in found.values()] == 4 * [(1, 14, 20, 192)]


@pytest.mark.parametrize("blocks", [[], [3], [-4]])
def test_a_block_that_does_not_exist_is_refused(blocks):
    with pytest.raises(ValueError, match=r"the 3 self-attention blocks, -3 to 2\. Rec"):
        keras_cait.feature_model(tiny_cait(), blocks)


def test_other_models_are_refused():
    with pytest.raises(ValueError, match=r"attention layers.*Received: 'regnety"):
        keras_cait.feature_model(tiny_regnety())
    inputs = keras.Input((4, 8))
    layer = keras_cait.layers.SelfAttention(num_heads=2)
    alone = keras.Model(inputs, layer(inputs), name="alone")
    with pytest.raises(ValueError, match="'alone', which has 0 PositionEmbedding"):
        keras_cait.feature_model(alone)
    assert list(keras_cait.attention_maps(alone, np.ones((1, 4, 8)))) == [layer.name]
