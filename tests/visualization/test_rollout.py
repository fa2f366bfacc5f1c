"""Attention of the class token to the image, block by block and through all."""

import numpy as np
import pytest

import keras_cait
from keras_cait.visualization import attention_rollout, token_attention
from tests.support.models.tiny_models import (
    changed_patches,
    images,
    randomize,
    tiny_cait,
    tiny_deit,
    tiny_deit3,
)

FAMILIES = [tiny_cait, tiny_deit, tiny_deit3]
DISTILLED = [tiny_cait, tiny_deit]


def with_residual(attention):
    return (attention + np.eye(len(attention))) / 2


@pytest.mark.parametrize("distilled", [False, True])
def test_rollout_of_deit_is_the_product_of_all_blocks(distilled):
    model = randomize(tiny_deit(input_shape=(24, 40, 3), distilled=distilled))
    x = images(2, 24, 40, 3)
    maps = keras_cait.attention_maps(model, x)
    found = attention_rollout(model, x)
    names = ["class", "distillation"][: 1 + distilled]
    assert list(found) == names
    for image in range(2):
        first, second, third = (
            with_residual(scores[image].mean(0).astype("float64"))
            for scores in maps.values()
        )
        rows = third @ second @ first
        for index, name in enumerate(names):
            expected = rows[index, len(names) :].reshape(3, 5)
            np.testing.assert_allclose(found[name][image], expected, rtol=1e-4)


def test_rollout_of_cait_goes_through_the_patches_and_then_to_the_class_token():
    model = randomize(tiny_cait(input_shape=(24, 40, 3), depth=2))
    x = images(1, 24, 40, 3)
    *patches, first, second = (
        scores[0].mean(0).astype("float64")
        for scores in keras_cait.attention_maps(model, x).values()
    )
    # The class token after each of its two blocks, as weights of itself and patches.
    token = (first[0] + np.eye(16)[0]) / 2
    token = (second[0] + np.eye(16)[0]) / 2 * np.r_[0, np.ones(15)] + token * (
        (second[0, 0] + 1) / 2
    )
    expected = token[1:] @ with_residual(patches[1]) @ with_residual(patches[0])
    (found,) = attention_rollout(model, x)["class"]
    np.testing.assert_allclose(found, expected.reshape(3, 5), rtol=1e-4)


@pytest.mark.parametrize("make", FAMILIES)
def test_maps_are_the_right_way_up(make):
    """In an image of one color all patches but a changed one get the same attention."""
    model = randomize(make(input_shape=(24, 40, 3)))
    for x, place in changed_patches(model):
        (rollout,) = attention_rollout(model, x)["class"]
        blocks = token_attention(model, x)["class"].values()
        for scores in (rollout, *(scores[0].sum(0) for scores in blocks)):
            distance = abs(scores - np.median(scores))
            assert np.unravel_index(distance.argmax(), (3, 5)) == place


@pytest.mark.parametrize("make", DISTILLED)
def test_both_tokens_have_their_rows_of_the_attention(make):
    model = randomize(make(input_shape=(24, 40, 3), distilled=True))
    x = images(2, 24, 40, 3)
    maps = keras_cait.attention_maps(model, x)
    found = token_attention(model, x)
    assert list(found) == ["class", "distillation"]
    for index, (token, blocks) in enumerate(found.items()):
        start = "class_block" if make is tiny_cait else "block"
        assert all(name.startswith(start) for name in blocks)
        for name, scores in blocks.items():
            assert scores.shape == (2, 4, 3, 5)
            rest = maps[name][:, :, index, :2].sum(-1)
            np.testing.assert_allclose(scores.sum((2, 3)) + rest, 1, rtol=1e-5)
        assert attention_rollout(model, x)[token].shape == (2, 3, 5)
    for name, scores in found["class"].items():
        assert not np.allclose(scores, found["distillation"][name])


@pytest.mark.parametrize("name", ["CaiT_XXS24", "DeiT_Ti_Distilled"])
def test_rollout_at_full_size_adds_up_to_less_than_1(name):
    model = getattr(keras_cait, name)(weights=None, input_shape=(224, 320, 3))
    rollouts = attention_rollout(model, images(1, 224, 320, 3))
    for scores in rollouts.values():
        assert scores.shape == (1, 14, 20)
        assert scores.min() > 0
        assert 0.5 < scores.sum() < 1
