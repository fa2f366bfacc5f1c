"""The kernel's numbers where it is interpreted, and its code for GPUs where none is."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from keras_cait.layers.attention.gpu_kernel import kernel_talking_heads

slow = pytest.mark.slow


def tensors(heads, tokens, dim, dtype="float32"):
    """Queries, keys and values of two images, and kernel and bias of both mixes."""
    keys = jax.random.split(jax.random.key(0), 7)
    shapes = [(2, heads, tokens, dim)] * 3 + [(heads, heads), (heads,)] * 2
    drawn = [jax.random.normal(*each) for each in zip(keys, shapes, strict=True)]
    return [each.astype(dtype) for each in drawn]


def formula(query, key, value, before, before_bias, after, after_bias):
    """Talking heads in float32."""
    wide = [each.astype("float32") for each in (query, key, value)]
    logits = jnp.einsum("bhqd,bhkd,hg->bgqk", *wide[:2], before.astype("float32"))
    logits = logits / query.shape[-1] ** 0.5 + before_bias[:, None, None]
    weights = jnp.einsum("bgqk,gj->bjqk", jax.nn.softmax(logits), after)
    return (weights + after_bias[:, None, None]) @ wide[2]


def outputs(inputs):
    # Most of the time goes into compiling.
    run = functools.partial(kernel_talking_heads, gradient_of=formula)
    fast = {"xla_backend_optimization_level": 0}
    return jax.jit(run, compiler_options=fast)(*inputs)


@pytest.mark.parametrize(
    ("heads", "tokens", "dim"),
    [
        (4, 197, 48),  # CaiT-XXS24, with a token that fills no block
        (2, 5, 4),  # fewer tokens than a block, heads narrower than Triton's matrices
        pytest.param(3, 64, 64, marks=slow),  # nothing is padded
        pytest.param(8, 577, 48, marks=slow),
        pytest.param(16, 70, 48, marks=slow),
    ],
)
def test_equals_the_formula(heads, tokens, dim):
    inputs = tensors(heads, tokens, dim)
    expected = formula(*inputs)
    largest = float(jnp.abs(expected).max())
    np.testing.assert_allclose(outputs(inputs), expected, rtol=0, atol=1e-5 * largest)


def test_bfloat16_has_a_softmax_in_float32():
    """The only error is that of rounding weights and outputs, 8 bits each."""
    inputs = tensors(4, 197, 48, "bfloat16")
    inputs[0] *= 8  # logits of up to 100
    expected, found = formula(*inputs), outputs(inputs)
    assert found.dtype == "bfloat16"
    largest = float(jnp.abs(expected).max())
    found = found.astype("float32")
    np.testing.assert_allclose(found, expected, rtol=0, atol=2**-7 * largest)


@pytest.mark.parametrize(
    ("heads", "tokens"), [(4, 196), pytest.param(16, 784, marks=slow)]
)
@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
def test_lowers_for_a_gpu_that_is_not_here(heads, tokens, dtype):
    run = jax.jit(functools.partial(kernel_talking_heads, gradient_of=formula))
    triton = "__gpu$xla.gpu.triton"
    unchecked = [jax.export.DisabledSafetyCheck.custom_call(triton)]
    exported = jax.export.export(run, platforms=["cuda"], disabled_checks=unchecked)
    program = exported(*tensors(heads, tokens, 48, dtype)).mlir_module()
    assert triton in program
    # No map of `(heads, queries, tokens)`.
    assert f"x{tokens}x{tokens}x" not in program
