"""ClassAttention: the class token reads the patches."""

from typing import Any

import keras

from keras_cait.layers.attention.multi_head import (
    MultiHeadAttention,
    attention_scores,
    split_heads,
)
from keras_cait.layers.checks import check_positive
from keras_cait.typing import Shape, Tensor


@keras.saving.register_keras_serializable(package="keras_cait")
class ClassAttention(MultiHeadAttention):
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
        recompute: Whether training computes what is inside again for the gradient
            instead of keeping it: less memory, more time. Not with dropout.
        **kwargs: `name`, `dtype` and the other `keras.layers.Layer` arguments. Under a
            mixed policy the output is float32, what is inside half precision.

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
        self, *, num_heads: int, num_query_tokens: int = 1, **kwargs: Any
    ) -> None:
        super().__init__(num_heads=num_heads, **kwargs)
        check_positive(num_query_tokens=num_query_tokens)
        self.num_query_tokens = num_query_tokens

    def build(self, input_shape: Shape) -> None:
        # Four projections, as the checkpoints have them: a fused one would also
        # compute queries for the patches, which nobody asks.
        self.q, self.k, self.v, self.proj = (
            self.projection(input_shape, name) for name in ("q", "k", "v", "proj")
        )

    def attention(self, inputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        asking = inputs[:, : self.num_query_tokens]
        # -> (batch, heads, queries or tokens, head_dim)
        query, key, value = (
            split_heads(projected, self.num_heads)
            for projected in (self.q(asking), self.k(inputs), self.v(inputs))
        )
        scores = attention_scores(query, key)
        return scores, scores, value

    def num_queries(self, tokens: int | None) -> int | None:
        return self.num_query_tokens

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_query_tokens": self.num_query_tokens}
