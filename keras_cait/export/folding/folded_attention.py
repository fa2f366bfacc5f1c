"""Attention layers of folded models, for inference."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import ops

from keras_cait.export.folding.folded_layers import (
    Linear,
    apply_to_tokens,
    is_one_image,
)
from keras_cait.layers.attention.head_axis import merge_heads
from keras_cait.layers.attention.query_blocks import block_size, is_long
from keras_cait.typing import Shape, Tensor


class FoldedAttention(keras.layers.Layer):
    """Base of the attention layers; the query weights contain the scale.

    `(batch, tokens, dim)` to `(batch, queries, dim)`, by default one query per token.
    With `score_rows` it also gives the attention after softmax of so many queries, the
    first ones, `(batch, heads, score_rows, tokens)`.
    """

    def __init__(self, *, num_heads: int, score_rows: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.num_heads = num_heads
        self.score_rows = score_rows

    def projections(self, input_shape: Shape, **parts: int) -> None:
        """Builds `proj` and linear layers with these multiples of `dim` as units."""
        self.one_image = is_one_image(input_shape)
        dim = input_shape[-1]
        for name, number in {**parts, "proj": 1}.items():
            layer = Linear(number * dim, dtype=self.dtype_policy, name=name)
            layer.build((None, dim))
            setattr(self, name, layer)

    def heads(self, layer: keras.layers.Dense, tokens: Tensor, parts: int) -> Any:
        """One matrix product, split into `(batch, heads, tokens, head_dim)`."""
        _, length, dim = tokens.shape
        shape = (-1, length, parts * self.num_heads, dim // self.num_heads)
        together = apply_to_tokens(layer, tokens, one_image=self.one_image)
        together = ops.reshape(together, shape)
        # -> (batch, parts * heads, tokens, head_dim): one transpose for all parts
        together = ops.transpose(together, (0, 2, 1, 3))
        return ops.split(together, parts, axis=1) if parts > 1 else [together]

    def attend(
        self,
        scores_and_weights: Callable[[Tensor], tuple[Tensor, Tensor]],
        query: Tensor,
        value: Tensor,
    ) -> Any:
        """Weighted values with merged heads, projected: `(batch, queries, dim)`.

        Many queries go block by block, in copies of the operations: runtimes for files
        run one operation after the other, and have no fast loop. CaiT-XXS24 at 576
        pixels takes 0.74 to 0.99 times the time in LiteRT and onnxruntime, and two
        thirds of the memory.
        """
        queries = query.shape[2]
        blocks = [query]
        if is_long(queries, training=False):
            size = block_size(queries)
            blocks = ops.split(query, list(range(size, queries, size)), axis=2)
        rows, attended = [], []
        for block in blocks:
            of_block, weights = scores_and_weights(block)
            rows.append(of_block)
            attended.append(ops.matmul(weights, value))
        merged = merge_heads(_joined(attended))
        outputs = apply_to_tokens(self.proj, merged, one_image=self.one_image)
        if not self.score_rows:
            return outputs
        return outputs, _first_queries(rows, self.score_rows)

    def number_of_queries(self, tokens: int | None) -> int | None:
        """Number of query tokens, which is that of the output tokens."""
        return tokens

    def compute_output_shape(self, input_shape: Shape) -> Shape | tuple[Shape, Shape]:
        batch, tokens, dim = input_shape
        outputs = (batch, self.number_of_queries(tokens), dim)
        if not self.score_rows:
            return outputs
        return outputs, (batch, self.num_heads, self.score_rows, tokens)

    def get_config(self) -> dict[str, Any]:
        sizes = {"num_heads": self.num_heads, "score_rows": self.score_rows}
        return {**super().get_config(), **sizes}


def _joined(blocks: Sequence[Tensor]) -> Tensor:
    """Blocks of queries, `(batch, heads, queries, ...)`, one after the other."""
    return blocks[0] if len(blocks) == 1 else ops.concatenate(blocks, axis=2)


def _first_queries(blocks: Sequence[Tensor], number: int) -> Tensor:
    """The first queries of blocks, of no more of them than needed."""
    joined = _joined(blocks[: -(-number // blocks[0].shape[2])])
    return joined if joined.shape[2] == number else joined[:, :, :number]


def scores(query: Tensor, key: Tensor) -> Tensor:
    """Dot products, `(batch, heads, queries, keys)`."""
    return ops.matmul(query, ops.transpose(key, (0, 1, 3, 2)))


def softmax_scores(query: Tensor, key: Tensor) -> tuple[Tensor, Tensor]:
    """Their softmax over the keys, which also are the weights of the values."""
    found = ops.softmax(scores(query, key))
    return found, found


@keras.saving.register_keras_serializable(package="keras_cait")
class FoldedSelfAttention(FoldedAttention):
    """Self-attention of all tokens."""

    def build(self, input_shape: Shape) -> None:
        self.projections(input_shape, qkv=3)

    def call(self, inputs: Tensor) -> Any:
        query, key, value = self.heads(self.qkv, inputs, 3)
        return self.attend(lambda block: softmax_scores(block, key), query, value)


@keras.saving.register_keras_serializable(package="keras_cait")
class FoldedTalkingHeads(FoldedSelfAttention):
    """Self-attention whose heads are mixed before and after the softmax.

    The first mix has no bias, which is equal for all keys: the softmax ignores it.
    """

    def build(self, input_shape: Shape) -> None:
        super().build(input_shape)
        square = (self.num_heads, self.num_heads)  # to new heads, from old ones
        self.before = self.add_weight(name="before", shape=square)
        self.after = self.add_weight(name="after", shape=square)
        self.after_bias = self.add_weight(name="after_bias", shape=(square[0], 1))

    def call(self, inputs: Tensor) -> Any:
        query, key, value = self.heads(self.qkv, inputs, 3)
        length = inputs.shape[1]

        def scores_and_weights(block: Tensor) -> tuple[Tensor, Tensor]:
            queries = block.shape[2]
            flat = (-1, self.num_heads, queries * length)
            apart = (-1, self.num_heads, queries, length)
            logits = ops.matmul(self.before, ops.reshape(scores(block, key), flat))
            maps = ops.softmax(ops.reshape(logits, apart))
            mixed = ops.matmul(self.after, ops.reshape(maps, flat)) + self.after_bias
            return maps, ops.reshape(mixed, apart)

        return self.attend(scores_and_weights, query, value)


@keras.saving.register_keras_serializable(package="keras_cait")
class FoldedClassAttention(FoldedAttention):
    """Attention in which only the first `num_queries` tokens have queries."""

    def __init__(self, *, num_queries: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.num_queries = num_queries

    def build(self, input_shape: Shape) -> None:
        self.projections(input_shape, q=1, kv=2)

    def call(self, inputs: Tensor) -> Any:
        (query,) = self.heads(self.q, inputs[:, : self.num_queries], 1)
        key, value = self.heads(self.kv, inputs, 2)
        return self.attend(lambda block: softmax_scores(block, key), query, value)

    def number_of_queries(self, tokens: int | None) -> int | None:
        return self.num_queries

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_queries": self.num_queries}
