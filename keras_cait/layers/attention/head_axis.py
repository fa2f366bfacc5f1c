"""Heads as an axis of their own."""

from keras import ops

from keras_cait.typing import Tensor


def split_heads(tokens: Tensor, num_heads: int) -> Tensor:
    """Moves the heads out of the last axis.

    `(batch, tokens, dim) -> (batch, heads, tokens, dim / heads)`
    """
    _, length, dim = ops.shape(tokens)
    # -> (batch, tokens, heads, head_dim); only the batch may be unknown.
    tokens = ops.reshape(tokens, (-1, length, num_heads, dim // num_heads))
    return swap_heads(tokens)


def merge_heads(tokens: Tensor) -> Tensor:
    """Undoes `split_heads`.

    `(batch, heads, tokens, head_dim) -> (batch, tokens, heads * head_dim)`
    """
    _, num_heads, length, head_dim = ops.shape(tokens)
    return ops.reshape(swap_heads(tokens), (-1, length, num_heads * head_dim))


def swap_heads(tokens: Tensor) -> Tensor:
    """`(batch, heads, tokens, head_dim) <-> (batch, tokens, heads, head_dim)`."""
    return ops.transpose(tokens, (0, 2, 1, 3))
