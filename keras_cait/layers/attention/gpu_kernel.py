"""Talking heads in two passes over the keys: a kernel for GPUs, of Pallas and Triton.

JAX only, which nothing else here imports. No map of `(heads, queries, tokens)` is
stored, at 1.5 times the operations of the plain way. One program computes all heads of
a block of queries of one image: a first pass over the keys finds the maximum and the
sum of each row of each mixed head; a second computes the products again, divides by the
sums, mixes the heads and multiplies by the values. Heads are mixed by multiplications
and additions that are written out.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax.experimental import pallas
from jax.experimental.pallas import triton

_BLOCK = 32  # queries of a program, and keys of a step
_NARROWEST = 16  # side of Triton's smallest matrix; all are powers of 2


def kernel_talking_heads(
    query: Any,
    key: Any,
    value: Any,
    before: Any,
    before_bias: Any,
    after: Any,
    after_bias: Any,
    *,
    gradient_of: Callable[..., Any],
) -> Any:
    """Talking heads without a map in memory, on a GPU.

    Products accumulate in float32, and the softmax is computed in it. The bias before
    the softmax is the same for all keys, so the softmax ignores it; the one after it
    adds its product with the sum of the values. Other processors than GPUs interpret
    the kernel, slowly.

    Args:
        query: `(batch, heads, queries, head_dim)`.
        key: `(batch, heads, tokens, head_dim)`.
        value: As `key`.
        before: Mix before the softmax, `(heads, heads)`, from old to new heads.
        before_bias: Its bias, `(heads,)`.
        after: Mix after the softmax, as `before`.
        after_bias: Its bias, `(heads,)`.
        gradient_of: The same function of all tensors, whose gradient is taken.

    Returns:
        Weighted values, `(batch, heads, queries, head_dim)`.

    Example:
        >>> x, mix = jnp.ones((1, 2, 3, 4)), (jnp.eye(2), jnp.zeros(2))
        >>> y = kernel_talking_heads(x, x, x, *mix, *mix, gradient_of=lambda *all: x)
        >>> y.shape, float(y[0, 0, 0, 0])
        ((1, 2, 3, 4), 1.0)

    """

    @jax.custom_vjp
    def attend(*tensors: Any) -> Any:
        return jax.lax.platform_dependent(
            *tensors,
            cuda=_attend,
            rocm=_attend,
            default=functools.partial(_attend, interpret=True),
        )

    def gradients(tensors: Sequence[Any], of_outputs: Any) -> Any:
        _, gradient = jax.vjp(gradient_of, *tensors)
        return gradient(of_outputs)

    attend.defvjp(lambda *tensors: (attend(*tensors), tensors), gradients)
    return attend(query, key, value, before, before_bias, after, after_bias)


def _attend(*tensors: Any, interpret: bool = False) -> Any:
    query, key, value, before, _, after, after_bias = tensors
    batch, heads, queries, dim = query.shape
    tokens = key.shape[2]
    of_bias = after_bias[:, None, None] * value.sum(axis=2, keepdims=True)
    before = before.astype("float32") * dim**-0.5
    query, key, value = (_padded(each) for each in (query, key, value))
    _, _, rows, width = query.shape
    block = pallas.BlockSpec((None, heads, _BLOCK, width), lambda i, b: (b, 0, i, 0))
    image = pallas.BlockSpec((None, *key.shape[1:]), lambda i, b: (b, 0, 0, 0))
    mix = pallas.BlockSpec((heads, heads), lambda i, b: (0, 0))
    outputs = pallas.pallas_call(
        functools.partial(_program, tokens=tokens),
        grid=(rows // _BLOCK, batch),
        in_specs=[block, image, image, mix, mix],
        out_specs=block,
        out_shape=jax.ShapeDtypeStruct(query.shape, query.dtype),
        compiler_params=triton.CompilerParams(num_warps=4, num_stages=2),
        interpret=interpret,
        name="talking_heads",
    )(query, key, value, before, after.astype("float32"))
    return outputs[:, :, :queries, :dim] + of_bias


def _padded(tensor: Any) -> Any:
    """Zeros behind the tokens, to whole blocks, and behind the channels."""
    _, _, tokens, dim = tensor.shape
    width = max(_NARROWEST, pallas.next_power_of_2(dim))
    return jnp.pad(tensor, ((0, 0), (0, 0), (0, -tokens % _BLOCK), (0, width - dim)))


def _program(
    query: Any, key: Any, value: Any, before: Any, after: Any, outputs: Any, tokens: int
) -> None:
    """All heads of one block of queries of one image; the arguments are references."""
    heads, rows, width = query.shape
    steps = pallas.cdiv(tokens, _BLOCK)

    def mixed_logits(step: Any) -> list[Any]:
        """`(rows, keys)` of each mixed head."""
        keys = pallas.dslice(step * _BLOCK, _BLOCK)
        logits = [triton.dot(query[head], key[head, keys].T) for head in range(heads)]
        inside = (step * _BLOCK + jnp.arange(_BLOCK) < tokens)[None]
        return [
            jnp.where(inside, _mixed(logits, before, head), -jnp.inf)
            for head in range(heads)
        ]

    def add_to_sums(step: Any, found: Any) -> Any:
        """The largest logit of each row so far, and the sum of exponentials to it."""
        sums = []
        for (largest, total), logits in zip(found, mixed_logits(step), strict=True):
            larger = jnp.maximum(largest, logits.max(axis=-1))
            total = total * jnp.exp(largest - larger)
            total += jnp.exp(logits - larger[:, None]).sum(axis=-1)
            sums.append((larger, total))
        return tuple(sums)

    def add_to_outputs(step: Any, found: Any) -> Any:
        scores = [
            jnp.exp(logits - largest[:, None]) / total[:, None]
            for logits, (largest, total) in zip(mixed_logits(step), sums, strict=True)
        ]
        keys = pallas.dslice(step * _BLOCK, _BLOCK)
        weights = [_mixed(scores, after, head) for head in range(heads)]
        return tuple(
            found[head]
            + triton.dot(weights[head].astype(value.dtype), value[head, keys])
            for head in range(heads)
        )

    start = (jnp.full(rows, -jnp.inf), jnp.zeros(rows))
    sums = jax.lax.fori_loop(0, steps, add_to_sums, (start,) * heads)
    zeros = jnp.zeros((rows, width))
    sums_of_values = jax.lax.fori_loop(0, steps, add_to_outputs, (zeros,) * heads)
    for head in range(heads):
        outputs[head] = sums_of_values[head].astype(outputs.dtype)


def _mixed(maps: Sequence[Any], mix: Any, new: int) -> Any:
    """One new head, the weighted sum of the old ones."""
    return sum(mix[old, new] * each for old, each in enumerate(maps))
