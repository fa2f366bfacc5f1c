import keras
import numpy as np
import pytest

from keras_cait.layers import ClassAttention
from tests.support.layer_harness import (
    assert_close,
    built,
    normal,
    run_layer_checks,
    to_numpy,
)


def make(num_query_tokens=2, **kwargs):
    return ClassAttention(
        num_heads=2,
        num_query_tokens=num_query_tokens,
        attention_dropout_rate=0.2,
        dropout_rate=0.2,
        **kwargs,
    )


@pytest.mark.parametrize("num_query_tokens", [1, 2])
def test_harness(num_query_tokens, tmp_path):
    weights = [f"{p}/{w}" for p in "qkv" for w in ("kernel", "bias")]
    weights += ["proj/kernel", "proj/bias"]

    def with_queries(**kwargs):
        return make(num_query_tokens, **kwargs)

    run_layer_checks(with_queries, (5, 8), weights=weights, folder=tmp_path)


def test_equals_the_formula():
    inputs = normal((3, 5, 8))
    layer = built(make, inputs)
    outputs, scores = layer(inputs, return_attention_scores=True)
    parts = [getattr(layer, name).get_weights() for name in ("q", "k", "v", "proj")]
    (wq, bq), (wk, bk), (wv, bv), (wo, bo) = parts
    query, key, value = inputs[:, :2] @ wq + bq, inputs @ wk + bk, inputs @ wv + bv
    mixed = np.zeros((3, 2, 8))
    for head, part in enumerate(np.split(np.arange(8), 2)):
        logits = query[..., part] @ key[..., part].transpose(0, 2, 1) / 2
        weights = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
        assert_close(scores[:, head], weights, 1e-6)
        mixed[..., part] = weights @ value[..., part]
    assert_close(outputs, mixed @ wo + bo, 1e-6)


def test_the_order_of_the_patches_does_not_matter():
    inputs = normal((2, 6, 8))
    layer = built(make, inputs)
    order = np.r_[0, 1, 5, 3, 2, 4]
    assert_close(layer(inputs[:, order]), to_numpy(layer(inputs)), 1e-5)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"num_heads": 3}, "num_heads=3"),
        ({"num_heads": 2, "num_query_tokens": 0}, "=0"),
    ],
)
def test_values_out_of_range_are_refused(settings, named):
    with pytest.raises(ValueError, match=named):
        ClassAttention(**settings)(keras.Input((5, 8)))
