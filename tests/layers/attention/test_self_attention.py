from typing import Any

import keras
import numpy as np
import pytest

from keras_cait.layers import SelfAttention
from keras_cait.layers.attention.scores import attention_scores, softmax
from tests.support.layer_harness import (
    assert_close,
    built,
    normal,
    run_layer_checks,
    to_numpy,
)


def make(**kwargs):
    return SelfAttention(
        num_heads=2, attention_dropout_rate=0.2, dropout_rate=0.2, **kwargs
    )


@pytest.fixture
def inputs():
    return normal((3, 5, 8))


@pytest.fixture
def layer(inputs):
    return built(make, inputs)


def numpy_attention(layer, inputs):
    """Output and attention of one example after the other, head by head."""
    w_in, b_in, w_out, b_out = layer.get_weights()
    outputs, attention = [], []
    for example in inputs:
        query, key, value = np.split(example @ w_in + b_in, 3, axis=-1)
        heads, maps = [], []
        for part in np.split(np.arange(query.shape[-1]), layer.num_heads):
            logits = query[:, part] @ key[:, part].T / np.sqrt(len(part))
            weights = np.exp(logits)
            weights /= weights.sum(axis=-1, keepdims=True)
            maps.append(weights)
            heads.append(weights @ value[:, part])
        outputs.append(np.concatenate(heads, axis=-1) @ w_out + b_out)
        attention.append(maps)
    return np.array(outputs), np.array(attention)


def test_harness(tmp_path):
    weights = ["qkv/kernel", "qkv/bias", "proj/kernel", "proj/bias"]
    run_layer_checks(make, (5, 8), weights=weights, folder=tmp_path)


def test_equals_the_formula(layer, inputs):
    outputs, scores = layer(inputs, return_attention_scores=True)
    expected_outputs, expected_scores = numpy_attention(layer, inputs)
    assert_close(outputs, expected_outputs, 1e-6)
    assert_close(scores, expected_scores, 1e-6)


def test_rows_of_attention_add_up_to_1(layer, inputs):
    _, scores = layer(inputs, return_attention_scores=True)
    scores = to_numpy(scores)
    assert scores.shape == (3, 2, 5, 5)
    assert np.all(scores >= 0)
    np.testing.assert_allclose(scores.sum(axis=-1), 1, atol=1e-6)


def test_symbolic_scores_have_their_shape(layer, inputs):
    x = keras.Input((5, 8))
    outputs, scores = layer(x, return_attention_scores=True)
    assert outputs.shape == (None, 5, 8)
    assert scores.shape == (None, 2, 5, 5)
    model = keras.Model(x, [outputs, scores])
    eager = layer(inputs, return_attention_scores=True)
    for found, expected in zip(model(inputs), eager, strict=True):
        np.testing.assert_array_equal(to_numpy(found), to_numpy(expected))


def test_permuting_the_tokens_permutes_the_output(layer, inputs):
    order = [3, 1, 4, 0, 2]
    assert_close(layer(inputs[:, order]), to_numpy(layer(inputs))[:, order], 1e-6)


def test_drop_rate_0_is_inference(inputs):
    layer = built(lambda: SelfAttention(num_heads=2), inputs)
    trained, inferred = layer(inputs, training=True), layer(inputs, training=False)
    np.testing.assert_array_equal(to_numpy(trained), to_numpy(inferred))


@pytest.mark.parametrize("argument", ["attention_dropout_rate", "dropout_rate"])
def test_dropout_acts_in_training_only(argument, inputs):
    rates: dict[str, Any] = {argument: 0.5}
    layer = built(lambda: SelfAttention(num_heads=2, **rates), inputs)
    inferred = to_numpy(layer(inputs))
    np.testing.assert_array_equal(to_numpy(layer(inputs, training=False)), inferred)
    assert np.any(to_numpy(layer(inputs, training=True)) != inferred)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_softmax_is_computed_in_float32(dtype):
    logits = keras.ops.cast(normal((2, 2, 50, 500)), dtype)
    found = softmax(logits)
    assert keras.backend.standardize_dtype(found.dtype) == "float32"
    exact = np.exp(to_numpy(logits).astype("float64"))
    exact /= exact.sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(to_numpy(found), exact, rtol=1e-5)
    query, key = keras.ops.cast(normal((2, 1, 2, 3, 4)), dtype)
    scores = attention_scores(query, key)
    assert keras.backend.standardize_dtype(scores.dtype) == dtype


def test_large_logits_stay_finite_in_half_precision():
    query = keras.ops.cast(200 * np.ones((1, 1, 2, 4)), "float16")
    key = np.array([[1, 1, 1, 1], [-1, -1, -1, -1], [0.5, 1, 1, 1]])[None, None]
    scores = attention_scores(query, keras.ops.cast(100 * key, "float16"))
    np.testing.assert_array_equal(to_numpy(scores)[0, 0], [[1, 0, 0]] * 2)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="traces a graph")
@pytest.mark.parametrize("training", [False, True])
def test_no_tensor_has_more_than_four_axes(layer, training):
    import tensorflow as tf

    run = tf.function(lambda x: layer(x, training=training))
    graph = run.get_concrete_function(tf.TensorSpec((None, 5, 8))).graph
    ranks = [
        tensor.shape.rank for node in graph.get_operations() for tensor in node.outputs
    ]
    assert None not in ranks
    assert max(ranks) == 4


def test_heads_that_do_not_divide_the_width_are_refused():
    with pytest.raises(ValueError, match=r"input_shape=\(2, 5, 8\), num_heads=3"):
        SelfAttention(num_heads=3).build((2, 5, 8))
    with pytest.raises(ValueError, match="Received: num_heads=0"):
        SelfAttention(num_heads=0)


@pytest.mark.parametrize("argument", ["attention_dropout_rate", "dropout_rate"])
@pytest.mark.parametrize("rate", [-0.1, 1.0])
def test_rates_out_of_range_are_refused(argument, rate):
    with pytest.raises(ValueError, match=f"Received: {argument}={rate}"):
        SelfAttention(num_heads=2, **{argument: rate})
