"""SelfAttention: multi-head attention of all tokens to all tokens."""

from collections.abc import Sequence

import keras
from keras import ops

from keras_cait.layers.attention.head_axis import split_heads
from keras_cait.layers.attention.multi_head import MultiHeadAttention
from keras_cait.typing import Shape, Tensor


@keras.saving.register_keras_serializable(package="keras_cait")
class SelfAttention(MultiHeadAttention):
    """Multi-head self-attention with one fused projection for q, k and v.

    `y = W_o @ concat_h(softmax(q_h @ k_h^T / sqrt(head_dim)) @ v_h) + b_o`, with
    `q, k, v = split(W @ x + b)`. Every tensor inside has at most four axes, the
    limit of mobile GPU delegates.

    Args:
        num_heads: Number of heads; must divide `dim`.
        attention_dropout_rate: Dropout on the attention, in [0, 1).
        dropout_rate: Dropout on the output, in [0, 1).
        recompute: Whether training recomputes the inside of the layer for the gradient
            instead of storing it: less memory, more time. Not with dropout.
        implementation: Way to compute the same attention. "plain": maps of
            `(heads, tokens, tokens)`. "blocks": a loop over blocks of queries, which
            training recomputes for the gradient: less memory. "fused":
            `keras.ops.dot_product_attention`, which takes flash attention where Keras's
            backend has it; not with attention dropout. "auto": blocks from 400 tokens
            on in training and from 1024 at inference, plain otherwise; it never takes
            "fused", which was not measured on a GPU. Returned scores and attention
            dropout are computed the plain way.
        **kwargs: Arguments of `keras.layers.Layer`. Under a mixed policy the layer
            computes in half precision, and its output is float32.

    Call arguments:
        inputs: Tokens.
        training: Whether dropout is active.
        return_attention_scores: Whether to return the attention after softmax too,
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

    def build(self, input_shape: Shape) -> None:
        self.qkv = self.projection(input_shape, "qkv", parts=3)
        self.proj = self.projection(input_shape, "proj")

    def queries_keys_values(self, inputs: Tensor) -> Sequence[Tensor]:
        parts = ops.split(self.qkv(inputs), 3, axis=-1)
        return [split_heads(part, self.num_heads) for part in parts]
