"""Attention block by block of queries, which keeps less in memory."""

from collections.abc import Callable

import keras
from keras import ops

from keras_cait.typing import Tensor

BLOCK = 192
"""Largest number of queries in a block."""

# CaiT-S24 at 384 pixels (576 tokens), one image, two cores. A training step, median: as
# a TensorFlow graph 1.42 s and 2.3 GB in place of 1.72 s and 2.7 GB; on JAX 2.7 GB in
# place of 3.8 GB; under TensorFlow's XLA 9 % more time. Inference as a graph: up to 1.4
# times the time, and no less memory; at 1296 tokens 0.8 times.
_LONG_IN_TRAINING = 400  # tokens
_LONG_AT_INFERENCE = 1024


def is_long(queries: int | None, *, training: bool) -> bool:
    """Whether blocks are worth it: for their memory in training, or for their speed.

    Example:
        >>> is_long(196, training=True), is_long(576, training=True)
        (False, True)

    """
    least = _LONG_IN_TRAINING if training else _LONG_AT_INFERENCE
    return queries is not None and queries >= least


def block_size(queries: int, most: int = BLOCK) -> int:
    """Size of as few blocks as possible, all equal but for the last one.

    Example:
        >>> block_size(1188), block_size(196), block_size(100)
        (170, 98, 100)

    """
    return -(-queries // -(-queries // most))


def in_query_blocks(
    attend: Callable[..., Tensor],
    query: Tensor,
    *others: Tensor,
    size: int = BLOCK,
    recompute: bool = False,
) -> Tensor:
    """Applies `attend` to at most `size` queries at a time, one block after another.

    A row of attention depends on its own query only, so that the result is the same.
    Maps of `heads x block x tokens` take the place of `heads x queries x tokens`. A
    loop, not copies of the operations: a graph's executor runs independent copies at
    the same time, with all of their maps in memory.

    Args:
        attend: Function of queries and of `others`. Every tensor that has a gradient
            must be an argument of it.
        query: `(batch, heads, queries, head_dim)`.
        *others: Keys, values and what else each block depends on.
        size: Largest number of queries in a block.
        recompute: Whether the gradient recomputes a block instead of storing its maps.

    Returns:
        As `attend(query, *others)`, of the shape of `query`.

    Example:
        >>> import numpy as np
        >>> x = np.arange(30.0).reshape(1, 1, 10, 3)
        >>> def attend(query, key, value):
        ...     return ops.matmul(ops.matmul(query, ops.swapaxes(key, 2, 3)), value)
        >>> y = in_query_blocks(attend, x, x, x, size=4)
        >>> y.shape == x.shape, np.allclose(y, attend(x, x, x))
        (True, True)

    """
    if recompute:
        attend = keras.remat(attend)
    _, num_heads, queries, head_dim = query.shape
    size = block_size(queries, size)
    blocks = -(-queries // size)  # the last one is filled up
    padding = blocks * size - queries
    query = ops.pad(query, ((0, 0), (0, 0), (0, padding), (0, 0)))
    # Batch and heads share an axis outside, for at most four axes in all.
    query = ops.reshape(query, (-1, blocks, size, head_dim))

    def attend_block(query: Tensor) -> Tensor:
        query = ops.reshape(query, (-1, num_heads, size, head_dim))
        return ops.reshape(attend(query, *others), (-1, size, head_dim))

    outputs = ops.map(attend_block, ops.transpose(query, (1, 0, 2, 3)))
    outputs = ops.transpose(outputs, (1, 0, 2, 3))
    outputs = ops.reshape(outputs, (-1, num_heads, blocks * size, head_dim))
    return outputs[:, :, :queries]
