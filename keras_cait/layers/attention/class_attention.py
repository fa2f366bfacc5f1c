"""ClassAttention: attention of the class token to the patches."""

from collections.abc import Sequence
from typing import Any

import keras

from keras_cait.layers.attention.head_axis import split_heads
from keras_cait.layers.attention.multi_head import MultiHeadAttention
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
        num_query_tokens: Number of query tokens, which come first: 1, the class
            token, or 2 with a distillation token behind it.
        **kwargs: Arguments of `SelfAttention`.

    Call arguments:
        inputs: Query tokens, then patches.
        training: Whether dropout is active.
        return_attention_scores: Whether to return the attention after softmax too,
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
        # Four projections, as in the checkpoints: a fused one would also compute
        # queries of the patches, which are not used.
        self.q, self.k, self.v, self.proj = (
            self.projection(input_shape, name) for name in ("q", "k", "v", "proj")
        )

    def queries_keys_values(self, inputs: Tensor) -> Sequence[Tensor]:
        query = self.q(inputs[:, : self.num_query_tokens])
        projected = (query, self.k(inputs), self.v(inputs))
        # -> (batch, heads, queries or tokens, head_dim)
        return [split_heads(tokens, self.num_heads) for tokens in projected]

    def num_queries(self, tokens: int | None) -> int | None:
        return self.num_query_tokens

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_query_tokens": self.num_query_tokens}
