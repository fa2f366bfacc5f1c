"""ClassAttention: the class token reads the patches."""

from typing import Any

import keras
from keras import ops

from keras_cait.layers.attention import attention_scores, merge_heads, split_heads
from keras_cait.layers.checks import check_positive, check_rates
from keras_cait.layers.initializers import weight_initializer
from keras_cait.typing import Shape, Tensor


@keras.saving.register_keras_serializable(package="keras_cait")
class ClassAttention(keras.layers.Layer):
    """Multi-head attention whose only queries are the first tokens.

    `y = W_o @ concat_h(softmax(q_h @ k_h^T / sqrt(head_dim)) @ v_h) + b_o`, with
    queries from the class token (and the distillation token), keys and values
    from all tokens, those included. Its cost is linear in the number of patches.

    Args:
        num_heads: Number of heads; must divide `dim`.
        num_query_tokens: How many tokens in front are queries: 1, the class
            token, or 2 with a distillation token behind it.
        attention_dropout_rate: Dropout on the attention, in [0, 1).
        dropout_rate: Dropout on the output, in [0, 1).
        **kwargs: `name`, `dtype` and the other `keras.layers.Layer` arguments.

    Call arguments:
        inputs: Query tokens, then patches.
        training: Whether dropout acts.
        return_attention_scores: Whether to return the softmaxed attention too,
            `(batch, heads, num_query_tokens, tokens)`, before dropout.

    Input shape: `(batch, tokens, dim)`.
    Output shape: `(batch, num_query_tokens, dim)`.

    Raises:
        ValueError: If `num_heads` does not divide `dim`, or a number is out of
            its range.

    Example:
        >>> import numpy as np
        >>> layer = ClassAttention(num_heads=2)
        >>> layer(np.zeros((2, 5, 8))).shape == (2, 1, 8)
        True

    Reference:
        Touvron et al., Going deeper with Image Transformers, section 3,
        https://arxiv.org/abs/2103.17239

    """

    def __init__(
        self,
        *,
        num_heads: int,
        num_query_tokens: int = 1,
        attention_dropout_rate: float = 0.0,
        dropout_rate: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_positive(num_heads=num_heads, num_query_tokens=num_query_tokens)
        check_rates(
            attention_dropout_rate=attention_dropout_rate, dropout_rate=dropout_rate
        )
        self.num_heads = num_heads
        self.num_query_tokens = num_query_tokens
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
        # Four projections, as the checkpoints have them: a fused one would also
        # compute queries for the patches, which nobody asks.
        self.q, self.k, self.v, self.proj = (
            keras.layers.Dense(
                dim,
                kernel_initializer=weight_initializer(),
                dtype=self.dtype_policy,
                name=name,
            )
            for name in ("q", "k", "v", "proj")
        )
        for projection in (self.q, self.k, self.v, self.proj):
            projection.build(input_shape)

    def call(
        self,
        inputs: Tensor,
        training: bool = False,
        return_attention_scores: bool = False,
    ) -> Tensor | tuple[Tensor, Tensor]:
        asking = inputs[:, : self.num_query_tokens]
        # -> (batch, heads, queries or tokens, head_dim)
        query, key, value = (
            split_heads(projected, self.num_heads)
            for projected in (self.q(asking), self.k(inputs), self.v(inputs))
        )
        scores = attention_scores(query, key)
        mixed = ops.matmul(self.attention_dropout(scores, training=training), value)
        outputs = self.dropout(self.proj(merge_heads(mixed)), training=training)
        return (outputs, scores) if return_attention_scores else outputs

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (input_shape[0], self.num_query_tokens, input_shape[-1])

    def compute_output_spec(
        self,
        inputs: Tensor,
        training: bool = False,
        return_attention_scores: bool = False,
    ) -> Tensor | tuple[Tensor, Tensor]:
        batch, tokens, dim = inputs.shape
        shape = (batch, self.num_query_tokens, dim)
        outputs = keras.KerasTensor(shape, self.compute_dtype)
        shape = (batch, self.num_heads, self.num_query_tokens, tokens)
        scores = keras.KerasTensor(shape, self.compute_dtype)
        return (outputs, scores) if return_attention_scores else outputs

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "num_query_tokens": self.num_query_tokens,
            "attention_dropout_rate": self.attention_dropout_rate,
            "dropout_rate": self.dropout_rate,
        }
