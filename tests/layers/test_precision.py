"""Precision of the layers of the residual stream."""

import keras
import numpy as np
import pytest

from keras_cait.layers import (
    ClassAttention,
    ClassToken,
    DistillationToken,
    FeedForward,
    LayerScale,
    PatchEmbedding,
    PositionEmbedding,
    SelfAttention,
    StochasticDepth,
    TalkingHeads,
)
from tests.support.layer_harness import built, normal, to_numpy

# Makers, and the dtype of what they give under mixed_bfloat16.
RESIDUAL = [
    lambda **kwargs: LayerScale(init_values=1e-5, **kwargs),
    lambda **kwargs: StochasticDepth(rate=0.5, **kwargs),
    lambda **kwargs: PositionEmbedding(grid_size=(2, 2), **kwargs),
    ClassToken,
    DistillationToken,
]
BRANCHES = [
    lambda **kwargs: SelfAttention(num_heads=2, **kwargs),
    lambda **kwargs: TalkingHeads(num_heads=2, **kwargs),
    lambda **kwargs: ClassAttention(num_heads=2, **kwargs),
    lambda **kwargs: FeedForward(hidden_dim=8, **kwargs),
]


@pytest.fixture
def policy(request):
    keras.config.set_dtype_policy(request.param)
    yield request.param
    keras.config.set_dtype_policy("float32")


def output_dtype(layer, shape=(2, 4, 8)):
    outputs = layer(normal(shape), training=True)
    symbolic = layer(keras.Input(shape[1:]))
    assert keras.backend.standardize_dtype(outputs.dtype) == symbolic.dtype
    return symbolic.dtype


@pytest.mark.parametrize("policy", ["mixed_bfloat16"], indirect=True)
def test_the_residual_stream_is_float32_under_a_mixed_policy(policy):
    for make in (*RESIDUAL, *BRANCHES):
        assert output_dtype(make()) == "float32"
    for make in RESIDUAL:
        assert make().compute_dtype == "float32"
        assert output_dtype(make(dtype="mixed_bfloat16")) == "bfloat16"
    for make in BRANCHES:
        assert make().compute_dtype == "bfloat16"
    embedding = PatchEmbedding(patch_size=2, embed_dim=8)
    assert output_dtype(embedding, (2, 4, 4, 3)) == "bfloat16"


@pytest.mark.parametrize("policy", ["bfloat16", "float16", "float64"], indirect=True)
def test_other_policies_set_the_dtype_of_the_stream(policy):
    if policy == "float64" and keras.backend.backend() == "jax":
        pytest.skip("jax has float64 only when asked to")
    for make in (*RESIDUAL, *BRANCHES):
        layer = make()
        assert output_dtype(layer) == policy
        assert {weight.dtype for weight in layer.weights} <= {policy}


@pytest.mark.parametrize("policy", ["mixed_bfloat16"], indirect=True)
def test_layer_scale_preserves_sums_that_bfloat16_loses(policy):
    """`x + y` is `x` in bfloat16 where `y` is below `x / 512`."""
    gain = LayerScale(init_values=1e-5)
    stream = np.ones((1, 4, 8), "float32")
    added = keras.layers.Add(dtype=gain.dtype_policy)([stream, gain(stream)])
    np.testing.assert_allclose(to_numpy(added), 1 + 1e-5, rtol=1e-7)


@pytest.mark.parametrize("policy", ["mixed_bfloat16"], indirect=True)
def test_the_last_bias_of_a_branch_is_added_in_float32(policy):
    inputs, bias = normal((2, 4, 8)), 2.0**-14
    for make in BRANCHES:
        layer = built(make, inputs)
        last = layer.proj if hasattr(layer, "proj") else layer.fc2
        last.kernel.assign(10 * last.kernel)
        last.bias.assign(0 * last.bias)
        without = to_numpy(layer(inputs))
        last.bias.assign(last.bias + bias)
        found = to_numpy(layer(inputs)) - without
        assert np.abs(without).max() > 64 * bias  # where bfloat16 has coarser steps
        np.testing.assert_allclose(found, bias, rtol=0.01)
