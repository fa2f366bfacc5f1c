"""Talking heads as multi-query attention, which fused kernels compute."""

from keras import ops

from keras_cait.layers.attention.head_axis import merge_heads, split_heads
from keras_cait.typing import Tensor


def multi_query_talking_heads(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    before: Tensor,
    before_bias: Tensor,
    after: Tensor,
    after_bias: Tensor,
) -> Tensor:
    """Talking heads through `keras.ops.dot_product_attention`.

    A mixed head `g` is one query of full width against one key that all heads share:
    `sum_h L[h, g] q_h . k_h = concat_h(L[h, g] q_h) . concat_h(k_h)`. The mix after the
    softmax is a sum over `g` of parts of `R_g = softmax(Q'_g K^T) V`, which are as wide
    as a head: `y_j = sum_g W[g, j] R_g[part j] + b_j sum_n v_j[n]`. The bias before the
    softmax is the same for all keys, so the softmax ignores it. The products take
    `heads` times the operations of talking heads, in exchange for kernels that keep no
    map of `(heads, queries, tokens)`.

    Args:
        query: `(batch, heads, queries, head_dim)`.
        key: `(batch, heads, tokens, head_dim)`.
        value: As `key`.
        before: `L`, the mix before the softmax, `(heads, heads)`, from old to new.
        before_bias: Its bias, `(heads,)`, whose gradient is 0.
        after: `W`, the mix after the softmax, likewise.
        after_bias: `b`, its bias, `(heads,)`.

    Returns:
        Weighted values, `(batch, heads, queries, head_dim)`.

    Example:
        >>> import numpy as np
        >>> x, eye = np.ones((1, 2, 3, 4), "float32"), np.eye(2, dtype="float32")
        >>> zeros = np.zeros(2, "float32")
        >>> y = multi_query_talking_heads(x, x, x, eye, zeros, eye, zeros)
        >>> y.shape == (1, 2, 3, 4), float(y[0, 0, 0, 0])
        (True, 1.0)

    Reference:
        Shazeer, Fast Transformer Decoding: One Write-Head is All You Need,
        https://arxiv.org/abs/1911.02150

    """
    _, num_heads, length, head_dim = query.shape
    query, key, value = (merge_heads(tokens) for tokens in (query, key, value))
    # -> (new heads, dim): the factor of each channel in each mixed head
    after_bias = after_bias + 0 * before_bias  # a gradient of 0, not of None
    before = ops.repeat(ops.transpose(before) * head_dim**-0.5, head_dim, axis=1)
    after, after_bias = (ops.repeat(x, head_dim, axis=-1) for x in (after, after_bias))
    mixed = ops.expand_dims(query, 2) * before  # (batch, queries, new heads, dim)
    # The mixed heads of a query are as many queries of one head.
    attended = ops.dot_product_attention(
        ops.reshape(mixed, (-1, length * num_heads, 1, num_heads * head_dim)),
        ops.expand_dims(key, 2),
        ops.expand_dims(value, 2),
        scale=1.0,
    )
    attended = ops.reshape(attended, (-1, length, num_heads, num_heads * head_dim))
    outputs = ops.sum(attended * after, axis=2)
    outputs = outputs + after_bias * ops.sum(value, axis=1, keepdims=True)
    return split_heads(outputs, num_heads)
