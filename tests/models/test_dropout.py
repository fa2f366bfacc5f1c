"""Places of dropout, as in the official code."""

import keras
import numpy as np
import pytest

from tests.support.models.tiny_models import (
    images,
    randomize,
    tiny_cait,
    tiny_deit,
    tiny_deit3,
)

INPUTS, PATCHES = images(4, 32, 32, 3), images(4, 16, 32)
TOKENS = images(4, 17, 32)


def changed_by_training(model, inputs):
    """Whether two passes in training differ; if not, both must equal inference."""
    first, second, inference = (
        keras.ops.convert_to_numpy(model(inputs, training=training))
        for training in (True, True, False)
    )
    if np.array_equal(first, second):
        np.testing.assert_array_equal(first, inference)
        return False
    return True


def part(model, start, end):
    """The layers from the input of one to the output of another."""
    return keras.Model(model.get_layer(start).input, model.get_layer(end).output)


@pytest.mark.parametrize("rate", ["dropout_rate", "attention_dropout_rate"])
def test_cait_drops_in_self_attention_blocks_alone(rate):
    """cait_models.py, lines 194 to 199: 0 in the class-attention blocks."""
    model = randomize(tiny_cait(depth=1, **{rate: 0.5}))
    assert changed_by_training(part(model, "block_0_norm1", "block_0_add2"), PATCHES)
    assert not changed_by_training(part(model, "class_token", "head"), PATCHES)
    embedding = part(model, "patch_embedding", "position_dropout")
    assert changed_by_training(embedding, INPUTS) == (rate == "dropout_rate")


@pytest.mark.parametrize("rate", ["dropout_rate", "attention_dropout_rate"])
def test_deit3_drops_the_attention_and_in_front_of_the_classifier(rate):
    """models_v2.py, lines 204 and 263: nothing but the attention in the blocks."""
    model = randomize(tiny_deit3(depth=1, **{rate: 0.5}))
    blocks = part(model, "patch_embedding", "norm")
    assert changed_by_training(blocks, INPUTS) == (rate == "attention_dropout_rate")
    assert changed_by_training(model, INPUTS)


@pytest.mark.parametrize("rate", ["dropout_rate", "attention_dropout_rate"])
def test_deit_drops_in_every_block(rate):
    """timm 0.3.2's VisionTransformer: positions, projections and attention."""
    model = randomize(tiny_deit(depth=1, **{rate: 0.5}))
    assert changed_by_training(part(model, "block_0_norm1", "block_0_add2"), TOKENS)
    embedding = part(model, "patch_embedding", "position_dropout")
    assert changed_by_training(embedding, INPUTS) == (rate == "dropout_rate")
    assert not changed_by_training(part(model, "norm", "head"), TOKENS)
