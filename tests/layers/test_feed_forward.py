import math

import numpy as np
import pytest

from keras_cait.layers import FeedForward
from keras_cait.layers.feed_forward import gelu
from tests.support.layer_harness import (
    assert_close,
    built,
    normal,
    run_layer_checks,
    to_numpy,
)


def make(**kwargs):
    return FeedForward(hidden_dim=16, dropout_rate=0.3, **kwargs)


def exact_gelu(x):
    return x * 0.5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


def test_harness(tmp_path):
    weights = ["fc1/kernel", "fc1/bias", "fc2/kernel", "fc2/bias"]
    run_layer_checks(make, (5, 8), weights=weights, folder=tmp_path)


def test_gelu_is_exact():
    x = np.linspace(-8, 8, 1601)
    found = to_numpy(gelu(x.astype("float32")))
    np.testing.assert_allclose(found, exact_gelu(x), rtol=0, atol=1e-6)


def test_the_output_is_two_projections_with_gelu_between():
    inputs = normal((2, 5, 8))
    layer = built(make, inputs)
    kernel1, bias1, kernel2, bias2 = layer.get_weights()
    expected = exact_gelu(inputs @ kernel1 + bias1) @ kernel2 + bias2
    assert_close(layer(inputs), expected, 1e-6)


def test_every_token_gets_the_same_function():
    inputs = normal((2, 5, 8))
    layer = built(make, inputs)
    order = [3, 1, 4, 0, 2]
    assert_close(layer(inputs[:, order]), to_numpy(layer(inputs))[:, order], 1e-6)


def test_drop_rate_0_is_inference():
    inputs = normal((2, 5, 8))
    layer = built(lambda: FeedForward(hidden_dim=16), inputs)
    trained, inferred = layer(inputs, training=True), layer(inputs, training=False)
    np.testing.assert_array_equal(to_numpy(trained), to_numpy(inferred))


def test_dropout_acts_in_training_only():
    inputs = normal((2, 5, 8))
    layer = built(make, inputs)
    inferred = to_numpy(layer(inputs))
    np.testing.assert_array_equal(to_numpy(layer(inputs, training=False)), inferred)
    trained = to_numpy(layer(inputs, training=True))
    assert np.any(trained == 0)
    assert np.any(trained != inferred)


def test_kernels_start_normal_and_biases_at_zero():
    layer = FeedForward(hidden_dim=128)
    layer.build((None, 5, 32))
    for dense in (layer.fc1, layer.fc2):
        assert np.std(to_numpy(dense.kernel)) == pytest.approx(0.02, rel=0.1)
        assert not np.any(to_numpy(dense.bias))


def test_a_width_below_1_is_refused():
    with pytest.raises(ValueError, match="Received: hidden_dim=0"):
        FeedForward(hidden_dim=0)


@pytest.mark.parametrize("rate", [-0.1, 1.0])
def test_rates_out_of_range_are_refused(rate):
    with pytest.raises(ValueError, match=f"Received: dropout_rate={rate}"):
        FeedForward(hidden_dim=4, dropout_rate=rate)
