"""Base of all attention layers: heads, projections and dropout."""

from abc import abstractmethod
from typing import Any

import keras
from keras import ops

from keras_cait.layers.checks import check_positive, check_rates, check_recompute
from keras_cait.layers.initializers import weight_initializer
from keras_cait.layers.precision import project_to_stream
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
    wide = keras.backend.result_type(logits.dtype, "float32")
    return ops.softmax(ops.cast(logits, wide), axis=-1)


class MultiHeadAttention(keras.layers.Layer):
    """Base of the attention layers, with their arguments.

    A subclass makes its projections in `build`, `proj` among them, and implements
    `attention`.
    """

    def __init__(
        self,
        *,
        num_heads: int,
        attention_dropout_rate: float = 0.0,
        dropout_rate: float = 0.0,
        recompute: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_positive(num_heads=num_heads)
        check_rates(
            attention_dropout_rate=attention_dropout_rate, dropout_rate=dropout_rate
        )
        check_recompute(
            recompute,
            attention_dropout_rate=attention_dropout_rate,
            dropout_rate=dropout_rate,
        )
        self.num_heads = num_heads
        self.attention_dropout_rate = attention_dropout_rate
        self.dropout_rate = dropout_rate
        self.recompute = recompute
        self.attention_dropout = keras.layers.Dropout(
            attention_dropout_rate, dtype=self.dtype_policy
        )
        self.dropout = keras.layers.Dropout(dropout_rate, dtype=self.variable_dtype)

    def projection(
        self, input_shape: Shape, name: str, *, parts: int = 1
    ) -> keras.layers.Dense:
        """A built linear layer from `dim` to `parts * dim`."""
        dim = input_shape[-1]
        if dim is None or dim % self.num_heads:
            raise ValueError(
                "`num_heads` must divide the last axis of the input. Received: "
                f"input_shape={tuple(input_shape)}, num_heads={self.num_heads}"
            )
        layer = keras.layers.Dense(
            parts * dim,
            kernel_initializer=weight_initializer(),
            dtype=self.dtype_policy,
            name=name,
        )
        layer.build(input_shape)
        return layer

    @abstractmethod
    def attention(self, inputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Scores after softmax, weights of the values, and values.

        The first two are `(batch, heads, queries, tokens)`, and the same tensor unless
        a layer mixes the scores; the values are `(batch, heads, tokens, head_dim)`.
        """

    def call(
        self,
        inputs: Tensor,
        training: bool = False,
        return_attention_scores: bool = False,
    ) -> Tensor | tuple[Tensor, Tensor]:
        if training and self.recompute and not return_attention_scores:
            return keras.remat(self._outputs)(inputs)
        scores, weights, value = self.attention(inputs)
        weights = self.attention_dropout(weights, training=training)
        outputs = self.dropout(self._project(weights, value), training=training)
        return (outputs, scores) if return_attention_scores else outputs

    def _outputs(self, inputs: Tensor) -> Tensor:
        _, weights, value = self.attention(inputs)
        return self._project(weights, value)

    def _project(self, weights: Tensor, value: Tensor) -> Tensor:
        return project_to_stream(self.proj, merge_heads(ops.matmul(weights, value)))

    def num_queries(self, tokens: int | None) -> int | None:
        """Number of query tokens, which is that of the output tokens."""
        return tokens

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        batch, tokens, dim = input_shape
        return (batch, self.num_queries(tokens), dim)

    def compute_output_spec(
        self,
        inputs: Tensor,
        training: bool = False,
        return_attention_scores: bool = False,
    ) -> Tensor | tuple[Tensor, Tensor]:
        batch, tokens, _ = inputs.shape
        shape = self.compute_output_shape(inputs.shape)
        outputs = keras.KerasTensor(shape, self.variable_dtype)
        shape = (batch, self.num_heads, self.num_queries(tokens), tokens)
        scores = keras.KerasTensor(shape, self.compute_dtype)
        return (outputs, scores) if return_attention_scores else outputs

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "attention_dropout_rate": self.attention_dropout_rate,
            "dropout_rate": self.dropout_rate,
            "recompute": self.recompute,
        }
