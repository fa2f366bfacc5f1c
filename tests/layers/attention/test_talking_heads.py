import keras
import numpy as np
import pytest

from keras_cait.layers import SelfAttention, TalkingHeads
from keras_cait.layers.attention.talking_heads import mix_heads
from tests.support.layer_harness import (
    assert_close,
    built,
    normal,
    run_layer_checks,
    to_numpy,
)


def make(**kwargs):
    return TalkingHeads(
        num_heads=2, attention_dropout_rate=0.2, dropout_rate=0.2, **kwargs
    )


def test_harness(tmp_path):
    weights = ["proj_l_kernel", "proj_l_bias", "proj_w_kernel", "proj_w_bias"]
    weights += ["qkv/kernel", "qkv/bias", "proj/kernel", "proj/bias"]
    # A constant added to all logits of a head does not change its softmax.
    idle = ["proj_l_bias"]
    run_layer_checks(make, (5, 8), weights=weights, folder=tmp_path, idle=idle)


def test_mix_is_linear_over_the_heads():
    scores, kernel, bias = normal((2, 3, 4, 5)), normal((3, 3)), normal((3,))
    expected = np.einsum("bhqk,hj->bjqk", scores, kernel) + bias[:, None, None]
    assert_close(mix_heads(scores, kernel, bias), expected, 1e-6)


def test_without_mixing_it_is_self_attention():
    inputs = normal((3, 5, 8))
    talking = built(make, inputs)
    plain = built(lambda **kwargs: SelfAttention(num_heads=2, **kwargs), inputs)
    for name in ("qkv", "proj"):
        getattr(plain, name).set_weights(getattr(talking, name).get_weights())
    for name in ("proj_l", "proj_w"):
        getattr(talking, f"{name}_kernel").assign(np.eye(2))
        getattr(talking, f"{name}_bias").assign(np.zeros(2))
    assert_close(talking(inputs), to_numpy(plain(inputs)), 1e-6)


def test_permuting_the_tokens_permutes_the_output():
    inputs = normal((2, 6, 8))
    layer = built(make, inputs)
    order = np.random.default_rng(1).permutation(6)
    assert_close(layer(inputs[:, order]), to_numpy(layer(inputs))[:, order], 1e-5)


def test_scores_are_those_before_the_second_mix():
    inputs = normal((2, 5, 8))
    _, scores = built(make, inputs)(inputs, return_attention_scores=True)
    np.testing.assert_allclose(to_numpy(scores).sum(-1), 1, rtol=1e-5)


def test_heads_that_do_not_divide_the_width_are_refused():
    with pytest.raises(ValueError, match="num_heads=3"):
        TalkingHeads(num_heads=3)(keras.Input((5, 8)))
