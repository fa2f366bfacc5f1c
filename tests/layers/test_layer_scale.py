import numpy as np
import pytest

from keras_cait.layers import LayerScale
from tests.support.layer_harness import built, normal, run_layer_checks, to_numpy


def make(**kwargs):
    return LayerScale(init_values=0.1, **kwargs)


def test_harness(tmp_path):
    run_layer_checks(make, (5, 4), weights=["gamma"], folder=tmp_path)


def test_gamma_of_ones_is_the_identity():
    inputs = normal((2, 5, 4))
    layer = LayerScale(init_values=1.0)
    np.testing.assert_array_equal(to_numpy(layer(inputs)), inputs)


@pytest.mark.parametrize("shape", [(2, 4), (2, 5, 4), (2, 3, 3, 4)])
def test_each_channel_is_scaled(shape):
    inputs = normal(shape)
    layer = built(make, inputs)
    expected = inputs * to_numpy(layer.gamma)
    np.testing.assert_array_equal(to_numpy(layer(inputs)), expected)


def test_gamma_starts_at_init_values():
    layer = LayerScale(init_values=1e-5)
    layer.build((None, 5, 4))
    np.testing.assert_array_equal(to_numpy(layer.gamma), np.full(4, 1e-5, "float32"))


@pytest.mark.parametrize("init_values", [0.0, -0.1])
def test_values_that_are_not_positive_are_refused(init_values):
    with pytest.raises(ValueError, match=f"Received: init_values={init_values}"):
        LayerScale(init_values=init_values)
