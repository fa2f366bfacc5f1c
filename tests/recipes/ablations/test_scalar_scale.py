import keras
import numpy as np
import pytest
from scalar_scale import ScalarScale  # pyright: ignore[reportMissingImports]

from keras_cait.layers import LayerScale
from tests.support.layer_harness import built, normal, run_layer_checks, to_numpy


def make(**kwargs):
    return ScalarScale(init_value=0.1, **kwargs)


def test_the_layer_harness_passes(tmp_path):
    run_layer_checks(make, (5, 4), weights=["gamma"], folder=tmp_path)


@pytest.mark.parametrize("shape", [(2,), (2, 4), (2, 5, 4), (2, 3, 3, 4)])
def test_all_values_are_multiplied_by_gamma(shape):
    inputs = normal(shape)
    layer = built(make, inputs)
    gamma = to_numpy(layer.gamma)
    assert gamma.shape == ()
    np.testing.assert_array_equal(to_numpy(layer(inputs)), gamma * inputs)


@pytest.mark.parametrize("start", [0.0, 1e-5, 1.0])
def test_gamma_starts_at_init_value(start):
    inputs = normal((2, 5, 4))
    outputs = to_numpy(ScalarScale(init_value=start)(inputs))
    np.testing.assert_array_equal(outputs, np.float32(start) * inputs)


def test_it_equals_layer_scale_with_equal_gains():
    inputs = normal((2, 5, 4))
    scalar, vector = ScalarScale(init_value=0.3), LayerScale(init_values=0.3)
    np.testing.assert_array_equal(to_numpy(scalar(inputs)), to_numpy(vector(inputs)))
    assert [layer.count_params() for layer in (scalar, vector)] == [1, 4]


def test_the_residual_stream_stays_in_float32_under_mixed_precision():
    inputs = normal((2, 5, 4))
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        outputs = ScalarScale(init_value=1e-5)(inputs)
    finally:
        keras.config.set_dtype_policy("float32")
    assert keras.backend.standardize_dtype(outputs.dtype) == "float32"
    np.testing.assert_allclose(to_numpy(outputs), inputs * np.float32(1e-5), rtol=1e-6)
