import keras
import numpy as np
import pytest

from keras_cait.layers import LayerNormalization
from tests.support.layer_harness import built, normal, run_layer_checks, to_numpy


def test_harness(tmp_path):
    run_layer_checks(
        LayerNormalization, (5, 4), weights=["gamma", "beta"], folder=tmp_path
    )


@pytest.mark.parametrize("shape", [(2, 6), (2, 5, 6), (2, 3, 3, 6)])
@pytest.mark.parametrize("parts", [{}, {"center": False}, {"scale": False}])
@pytest.mark.parametrize("size", [1e-3, 1.0, 1e3])
def test_equals_the_layer_of_keras(shape, parts, size):
    inputs = size * (normal(shape) + 1)
    layer = built(LayerNormalization, inputs, **parts)
    keras_layer = keras.layers.LayerNormalization(epsilon=1e-6, **parts)
    keras_layer.build(shape)
    keras_layer.set_weights(layer.get_weights())
    expected = to_numpy(keras_layer(inputs))
    limit = 1e-6 * np.abs(expected).max()
    np.testing.assert_allclose(to_numpy(layer(inputs)), expected, rtol=0, atol=limit)


def test_the_number_of_tokens_may_be_unknown():
    model = keras.Sequential([keras.Input((None, 4)), LayerNormalization()])
    for tokens in (3, 7):
        assert model.predict(normal((2, tokens, 4)), verbose=0).shape == (2, tokens, 4)
