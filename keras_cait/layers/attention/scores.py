"""Attention scores: products of queries and keys, and their softmax."""

from keras import ops

from keras_cait.layers.precision import float32_or_wider
from keras_cait.typing import Tensor


def attention_scores(query: Tensor, key: Tensor) -> Tensor:
    """Softmax of the scaled dot products, computed in float32.

    `softmax(q @ k^T / sqrt(head_dim))` over the keys, `(batch, heads, queries, keys)`.
    Half precision is too coarse for the softmax: its input is cast to float32, and its
    result cast back.

    Example:
        >>> import numpy as np
        >>> scores = attention_scores(np.ones((1, 2, 3, 4)), np.ones((1, 2, 5, 4)))
        >>> scores.shape == (1, 2, 3, 5), round(float(scores[0, 0, 0, 0]), 3)
        (True, 0.2)

    """
    logits = attention_logits(query, key)
    return ops.cast(softmax(logits), logits.dtype)


def attention_logits(query: Tensor, key: Tensor) -> Tensor:
    """Scaled dot products, `(batch, heads, queries, keys)`; see `attention_scores`."""
    query = query * query.shape[-1] ** -0.5
    return ops.matmul(query, ops.transpose(key, (0, 1, 3, 2)))


def softmax(logits: Tensor) -> Tensor:
    """Softmax over the last axis, in float32 or wider."""
    return ops.softmax(ops.cast(logits, float32_or_wider(logits.dtype)), axis=-1)
