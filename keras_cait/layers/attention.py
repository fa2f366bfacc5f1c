"""SelfAttention: multi-head attention of all tokens to all tokens."""

from typing import Any

import keras
from keras import ops

from keras_cait.layers.checks import check_positive, check_rates
from keras_cait.layers.initializers import weight_initializer
from keras_cait.typing import Shape, Tensor


def split_heads(tokens: Tensor, num_heads: int) -> Tensor:
    """Moves the heads out of the last axis.

    `(batch, tokens, dim) -> (batch, heads, tokens, dim / heads)`
    """
    _, length, dim = ops.shape(tokens)
    # -> (batch, tokens, heads, head_dim); only the batch may be unknown.
    tokens = ops.reshape(tokens, (-1, length, num_heads, dim // num_heads))
    return ops.transpose(tokens, (0, 2, 1, 3))


def merge_heads(tokens: Tensor) -> Tensor:
    """Undoes `split_heads`.

    `(batch, heads, tokens, head_dim) -> (batch, tokens, heads * head_dim)`
    """
    _, num_heads, length, head_dim = ops.shape(tokens)
    tokens = ops.transpose(tokens, (0, 2, 1, 3))
    return ops.reshape(tokens, (-1, length, num_heads * head_dim))


def attention_scores(query: Tensor, key: Tensor) -> Tensor:
    """Softmax of the scaled dot products, computed in float32.

    `softmax(q @ k^T / sqrt(head_dim))` over the keys. Half precision is too
    coarse for the softmax, so its input is widened and its result cast back.

    Args:
        query: `(batch, heads, queries, head_dim)`.
        key: `(batch, heads, keys, head_dim)`.

    Returns:
        `(batch, heads, queries, keys)`, rows adding up to 1.

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
    wide = keras.backend.result_type(logits.dtype, "float32")
    return ops.softmax(ops.cast(logits, wide), axis=-1)


@keras.saving.register_keras_serializable(package="keras_cait")
class SelfAttention(keras.layers.Layer):
    """Multi-head self-attention with one fused projection for q, k and v.

    `y = W_o @ concat_h(softmax(q_h @ k_h^T / sqrt(head_dim)) @ v_h) + b_o`, with
    `q, k, v = split(W @ x + b)`. Every tensor inside has at most four axes, so
    that mobile GPU delegates take it.

    Args:
        num_heads: Number of heads; must divide `dim`.
        attention_dropout_rate: Dropout on the attention, in [0, 1).
        dropout_rate: Dropout on the output, in [0, 1).
        **kwargs: `name`, `dtype` and the other `keras.layers.Layer` arguments.

    Call arguments:
        inputs: Tokens.
        training: Whether dropout acts.
        return_attention_scores: Whether to return the softmaxed attention too,
            `(batch, heads, tokens, tokens)`, before dropout.

    Input shape: `(batch, tokens, dim)`.
    Output shape: `(batch, tokens, dim)`.

    Raises:
        ValueError: If `num_heads` does not divide `dim`, or a rate is outside
            [0, 1).

    Example:
        >>> import numpy as np
        >>> layer = SelfAttention(num_heads=2)
        >>> layer(np.zeros((2, 5, 8))).shape == (2, 5, 8)
        True

    Reference:
        Vaswani et al., Attention Is All You Need, section 3.2,
        https://arxiv.org/abs/1706.03762

    """

    def __init__(
        self,
        *,
        num_heads: int,
        attention_dropout_rate: float = 0.0,
        dropout_rate: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_positive(num_heads=num_heads)
        check_rates(
            attention_dropout_rate=attention_dropout_rate, dropout_rate=dropout_rate
        )
        self.num_heads = num_heads
        self.attention_dropout_rate = attention_dropout_rate
        self.dropout_rate = dropout_rate
        self.attention_dropout = keras.layers.Dropout(
            attention_dropout_rate, dtype=self.dtype_policy
        )
        self.dropout = keras.layers.Dropout(dropout_rate, dtype=self.dtype_policy)

    def build(self, input_shape: Shape) -> None:
        dim = input_shape[-1]
        if dim is None or dim % self.num_heads:
            raise ValueError(
                "`num_heads` must divide the last axis of the input. Received: "
                f"input_shape={tuple(input_shape)}, num_heads={self.num_heads}"
            )
        self.qkv = self._projection(3 * dim, "qkv")
        self.proj = self._projection(dim, "proj")
        self.qkv.build(input_shape)
        self.proj.build(input_shape)

    def call(
        self,
        inputs: Tensor,
        training: bool = False,
        return_attention_scores: bool = False,
    ) -> Tensor | tuple[Tensor, Tensor]:
        query, key, value = self.queries_keys_values(inputs)
        scores = attention_scores(query, key)
        mixed = ops.matmul(self.attention_dropout(scores, training=training), value)
        outputs = self.dropout(self.proj(merge_heads(mixed)), training=training)
        return (outputs, scores) if return_attention_scores else outputs

    def queries_keys_values(self, inputs: Tensor) -> list[Tensor]:
        """Three of `(batch, heads, tokens, head_dim)`, from one projection."""
        parts = ops.split(self.qkv(inputs), 3, axis=-1)
        return [split_heads(part, self.num_heads) for part in parts]

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def compute_output_spec(
        self,
        inputs: Tensor,
        training: bool = False,
        return_attention_scores: bool = False,
    ) -> Tensor | tuple[Tensor, Tensor]:
        batch, tokens, _ = inputs.shape
        outputs = keras.KerasTensor(inputs.shape, self.compute_dtype)
        scores = (batch, self.num_heads, tokens, tokens)
        scores = keras.KerasTensor(scores, self.compute_dtype)
        return (outputs, scores) if return_attention_scores else outputs

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "attention_dropout_rate": self.attention_dropout_rate,
            "dropout_rate": self.dropout_rate,
        }

    def _projection(self, units: int, name: str) -> keras.layers.Dense:
        return keras.layers.Dense(
            units,
            kernel_initializer=weight_initializer(),
            dtype=self.dtype_policy,
            name=name,
        )
