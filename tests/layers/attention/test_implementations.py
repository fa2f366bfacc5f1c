"""Every way to compute an attention gives the same outputs and gradients."""

import keras
import numpy as np
import pytest

from keras_cait.layers import ClassAttention, SelfAttention, TalkingHeads
from tests.support.layer_harness import assert_close, built, normal, to_numpy
from tests.support.layer_steps import outputs_and_gradients

# Tokens, width and heads.
LONG = (577, 192, 4)  # CaiT-XXS24 at 384 pixels, and a token that no block divides
WIDE = (196, 384, 8)  # CaiT-S24 at 224 pixels
MANY_HEADS = (230, 192, 16)
SHORT = (50, 48, 1)  # fewer tokens than a block has queries
CASES = [
    (TalkingHeads, LONG, False),
    (TalkingHeads, MANY_HEADS, True),
    (SelfAttention, MANY_HEADS, False),
    (ClassAttention, LONG, False),
]
SLOW = [
    (TalkingHeads, WIDE, False),
    (TalkingHeads, SHORT, False),
    (TalkingHeads, LONG, True),
    (SelfAttention, LONG, True),
    (SelfAttention, SHORT, False),
    (ClassAttention, WIDE, True),
]


def with_implementations(cases, *marks):
    on_jax = keras.backend.backend() == "jax"
    return [
        pytest.param(*case, name, marks=marks)
        for case in cases
        for name in ("blocks", "fused", "kernel")
        if name != "kernel" or (on_jax and case[0] is TalkingHeads)
    ]


# TensorFlow's sum over all positions is off by 1e-5 in float32; JAX has float32 only.
EXACT = "float64" if keras.backend.backend() == "tensorflow" else "float32"


def make(kind, shape, implementation, **kwargs):
    """A layer with weights that depend on its kind and shape only."""
    tokens, dim, num_heads = shape
    kwargs = {"num_heads": num_heads, "implementation": implementation, **kwargs}
    layer = built(kind, np.zeros((2, tokens, dim)), name="attention", **kwargs)
    for weight in layer.weights:  # logits of both signs, not far from 1
        size = 3 if "kernel" in weight.path else 1
        weight.assign(to_numpy(weight) * size / np.sqrt(weight.shape[0]))
    return layer


@pytest.mark.parametrize(
    ("kind", "shape", "jit_compile", "implementation"),
    [*with_implementations(CASES), *with_implementations(SLOW, pytest.mark.slow)],
)
def test_outputs_and_gradients_are_equal(kind, shape, jit_compile, implementation):
    inputs = normal((2, *shape[:2]))
    plain = make(kind, shape, "plain", dtype=EXACT)
    expected = outputs_and_gradients(plain, inputs.astype(EXACT))
    layer = make(kind, shape, implementation)
    found = outputs_and_gradients(layer, inputs, jit_compile=jit_compile)
    kernels = [np.abs(expected[name]).max() for name in expected if "kernel" in name]
    for name, value in expected.items():
        # A constant added to all logits changes no softmax: gradients of the first
        # mix's bias, and of the keys' bias, are 0 but for rounding.
        idle = name.endswith(("proj_l_bias", "/k/bias"))
        scale = max(kernels) if idle else np.abs(value).max()
        np.testing.assert_allclose(
            found[name], value, rtol=0, atol=1e-5 * scale, err_msg=name
        )


@pytest.mark.parametrize("recompute", [False, True])
def test_blocks_are_recomputed_once_more_in_a_recomputed_layer(recompute):
    inputs = normal((2, *MANY_HEADS[:2]))
    plain, blocks = (
        outputs_and_gradients(make(TalkingHeads, MANY_HEADS, name, **options), inputs)
        for name, options in [("plain", {}), ("blocks", {"recompute": recompute})]
    )
    for name in (
        "outputs",
        "inputs",
        "attention/qkv/kernel",
        "attention/proj_w_kernel",
    ):
        assert_close(blocks[name], plain[name], 1e-5)


@pytest.mark.parametrize("kind", [SelfAttention, TalkingHeads, ClassAttention])
@pytest.mark.parametrize("implementation", ["blocks", "fused"])
def test_returned_scores_are_the_plain_ones(kind, implementation):
    inputs = normal((2, *SHORT[:2]))
    plain, other = (make(kind, SHORT, name) for name in ("plain", implementation))
    (outputs, scores), (expected, expected_scores) = (
        layer(inputs, return_attention_scores=True) for layer in (other, plain)
    )
    np.testing.assert_array_equal(to_numpy(scores), to_numpy(expected_scores))
    np.testing.assert_array_equal(to_numpy(outputs), to_numpy(expected))


def test_attention_dropout_acts_in_blocks_too():
    inputs = normal((2, *MANY_HEADS[:2]))
    layer = make(SelfAttention, MANY_HEADS, "blocks", attention_dropout_rate=0.5)
    plain = make(SelfAttention, MANY_HEADS, "plain")
    assert_close(layer(inputs, training=False), plain(inputs), 1e-5)
    first, second = (to_numpy(layer(inputs, training=True)) for _ in range(2))
    assert np.any(first != second)


@pytest.mark.parametrize("kind", [SelfAttention, TalkingHeads, ClassAttention])
def test_a_configuration_without_the_argument_loads(kind):
    config = kind(num_heads=2).get_config()
    assert config.pop("implementation") == "auto"
    assert kind.from_config(config).implementation == "auto"


def test_implementations_that_cannot_be_are_refused():
    known = "must be one of auto, plain, blocks, fused. Received: .*='kernel'"
    with pytest.raises(ValueError, match=known):
        SelfAttention(num_heads=2, implementation="kernel")
    with pytest.raises(ValueError, match=r"attention_dropout_rate=0\.1.*'auto'"):
        TalkingHeads(num_heads=2, implementation="fused", attention_dropout_rate=0.1)


def test_a_layer_with_the_kernel_loads_on_every_backend():
    config = {**TalkingHeads(num_heads=2).get_config(), "implementation": "kernel"}
    layer = TalkingHeads.from_config(config)
    if keras.backend.backend() == "jax":
        assert layer.implementation == "kernel"
    else:
        assert layer.implementation == "auto"
        with pytest.raises(ValueError, match=r"needs KERAS_BACKEND=jax.* tensorflow"):
            TalkingHeads(num_heads=2, implementation="kernel")
