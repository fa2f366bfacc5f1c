"""Base of all attention layers: heads, projections and dropout."""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import keras
from keras import ops

from keras_cait.layers.attention.head_axis import merge_heads, swap_heads
from keras_cait.layers.attention.query_blocks import (
    BLOCK,
    in_query_blocks,
    is_long,
)
from keras_cait.layers.attention.scores import attention_scores
from keras_cait.layers.checks import check_positive, check_rates, check_recompute
from keras_cait.layers.initializers import weight_initializer
from keras_cait.layers.precision import project_to_stream
from keras_cait.typing import Shape, Tensor


class MultiHeadAttention(keras.layers.Layer):
    """Base of the attention layers, with their arguments.

    A subclass makes its projections in `build`, `proj` among them, and implements
    `queries_keys_values`.
    """

    implementations: ClassVar[Sequence[str]] = ("auto", "plain", "blocks", "fused")
    without_maps: ClassVar[Sequence[str]] = ("fused",)

    def __init__(
        self,
        *,
        num_heads: int,
        attention_dropout_rate: float = 0.0,
        dropout_rate: float = 0.0,
        recompute: bool = False,
        implementation: str = "auto",
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
        self._check_implementation(implementation, attention_dropout_rate)
        self.num_heads = num_heads
        self.attention_dropout_rate = attention_dropout_rate
        self.dropout_rate = dropout_rate
        self.recompute = recompute
        self.implementation = implementation
        self.attention_dropout = keras.layers.Dropout(
            attention_dropout_rate, dtype=self.dtype_policy
        )
        self.dropout = keras.layers.Dropout(dropout_rate, dtype=self.variable_dtype)

    def _check_implementation(self, name: str, attention_dropout_rate: float) -> None:
        if name not in self.implementations:
            raise ValueError(
                f"`implementation` of {type(self).__name__} must be one of "
                f"{', '.join(self.implementations)}. Received: implementation={name!r}"
            )
        if name in self.without_maps and attention_dropout_rate > 0:
            raise ValueError(
                f"`implementation={name!r}` keeps no map that dropout could act on. "
                f"Received: attention_dropout_rate={attention_dropout_rate}. Set it to "
                "0, as all published models do, or take 'auto'."
            )

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
    def queries_keys_values(self, inputs: Tensor) -> Sequence[Tensor]:
        """Three of `(batch, heads, queries or tokens, head_dim)`."""

    def mixes(self) -> Sequence[Tensor]:
        """Weights that the scores depend on, in the dtype of the computation."""
        return ()

    def scores_and_weights(
        self, query: Tensor, key: Tensor, *mixes: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Scores after softmax, and weights of the values.

        Both are `(batch, heads, queries, tokens)`, and the same tensor unless a layer
        mixes the scores. A row depends on its own query only, so that some of the
        queries give some of the rows.
        """
        scores = attention_scores(query, key)
        return scores, scores

    def call(
        self,
        inputs: Tensor,
        training: bool = False,
        return_attention_scores: bool = False,
    ) -> Tensor | tuple[Tensor, Tensor]:
        if return_attention_scores:
            query, key, value = self.queries_keys_values(inputs)
            scores, weights = self.scores_and_weights(query, key, *self.mixes())
            attended = self._weighted_values(weights, value, training)
            return self.dropout(self._project(attended), training=training), scores
        if training and self.recompute:
            return keras.remat(lambda x: self._outputs(x, training))(inputs)
        return self.dropout(self._outputs(inputs, training), training=training)

    def _outputs(self, inputs: Tensor, training: bool) -> Tensor:
        query, key, value = self.queries_keys_values(inputs)
        return self._project(self._attend(query, key, value, training))

    def _attend(
        self, query: Tensor, key: Tensor, value: Tensor, training: bool
    ) -> Tensor:
        """Weighted values, `(batch, heads, queries, head_dim)`."""

        def plain(query: Tensor, key: Tensor, value: Tensor, *mixes: Tensor) -> Tensor:
            _, weights = self.scores_and_weights(query, key, *mixes)
            return self._weighted_values(weights, value, training)

        def in_blocks(*tensors: Tensor) -> Tensor:
            return in_query_blocks(plain, *tensors, recompute=training)

        tensors = (query, key, value, *self.mixes())
        if training and self.attention_dropout_rate:
            return plain(*tensors)  # a recomputed block would draw a new mask
        if self.implementation in self.without_maps:
            return self.attend_without_maps(in_blocks, *tensors)
        queries = query.shape[2]
        if self.implementation == "auto":
            takes_blocks = is_long(queries, training=training)
        else:
            takes_blocks = self.implementation == "blocks" and (queries or 0) > BLOCK
        return in_blocks(*tensors) if takes_blocks else plain(*tensors)

    def attend_without_maps(
        self, in_blocks: Callable[..., Tensor], *tensors: Tensor
    ) -> Tensor:
        """Weighted values as `in_blocks` of the same tensors gives them."""
        query, key, value = (swap_heads(tokens) for tokens in tensors)
        return swap_heads(ops.dot_product_attention(query, key, value))

    def _weighted_values(
        self, weights: Tensor, value: Tensor, training: bool
    ) -> Tensor:
        return ops.matmul(self.attention_dropout(weights, training=training), value)

    def _project(self, attended: Tensor) -> Tensor:
        return project_to_stream(self.proj, merge_heads(attended))

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
            "implementation": self.implementation,
        }
