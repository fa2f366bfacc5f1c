"""Folding of transformer blocks and classifier heads."""

from dataclasses import replace

import keras
from keras import ops

from keras_cait.export.folding.folded_attention import (
    FoldedClassAttention,
    FoldedSelfAttention,
    FoldedTalkingHeads,
)
from keras_cait.export.folding.folded_layers import FoldedFeedForward, FoldedNorm
from keras_cait.export.folding.folded_tensors import FoldedTensor, Folding, assign
from keras_cait.export.folding.graph import Step
from keras_cait.export.folding.linear_maps import LinearMap, values
from keras_cait.export.folding.merged_heads import MergedHeads
from keras_cait.layers import ClassAttention, TalkingHeads
from keras_cait.typing import Tensor


def norm(folding: Folding, step: Step) -> FoldedTensor:
    """Layer normalization; linear layers after it absorb gain and bias."""
    old = step.operation
    found = folding.read(step.input, folding.required_tokens(step))
    absorbed = folding.required.is_absorbed(step.output)
    if absorbed and found.centered:
        layer = FoldedNorm(epsilon=old.epsilon, dtype="float32", name=old.name)
    else:
        layer = keras.layers.LayerNormalization(
            epsilon=old.epsilon,
            center=old.center and not absorbed,
            scale=old.scale and not absorbed,
            dtype="float32",
            name=old.name,
        )
    tensor = layer(found.tensor)
    if not absorbed:
        layer.set_weights(old.get_weights())
        return FoldedTensor(tensor)
    return FoldedTensor(
        tensor,
        gain=values(old.gamma) if old.scale else None,
        offset=values(old.beta) if old.center else None,
    )


def attention(folding: Folding, step: Step) -> FoldedTensor:
    """Self-attention, talking heads or class attention, for the required queries."""
    old = step.operation
    tensor, gain, offset = folding.affine(step.input)
    rows = folding.required.queries(step)
    queries = max(folding.required_tokens(step), rows)
    if isinstance(old, ClassAttention):
        queries = min(queries, old.num_query_tokens)
        maps = [LinearMap.of(layer) for layer in (old.q, old.k, old.v)]
    else:
        maps = LinearMap.of(old.qkv).split(3)
    query, key, value = (each.after_affine(gain, offset) for each in maps)
    query = query.scaled((tensor.shape[-1] / old.num_heads) ** -0.5)
    proj, centered = folding.output_map(step, old.proj)

    score_rows = int(min(rows, queries, tensor.shape[1]))
    sizes = {"num_heads": old.num_heads, "score_rows": score_rows}
    sizes |= {"dtype": "float32", "name": old.name}
    if isinstance(old, TalkingHeads):
        layer = FoldedTalkingHeads(**sizes)
    elif queries < tensor.shape[1]:
        layer = FoldedClassAttention(num_queries=int(queries), **sizes)
    else:
        layer = FoldedSelfAttention(**sizes)
    made = layer(tensor)
    if score_rows:
        made, scores = made
        folding.set(step.scores, FoldedTensor(scores))
    proj.assign_to(layer.proj)
    if isinstance(layer, FoldedClassAttention):
        query.assign_to(layer.q)
        LinearMap.concatenated(key, value).assign_to(layer.kv)
    else:
        LinearMap.concatenated(query, key, value).assign_to(layer.qkv)
    if isinstance(layer, FoldedTalkingHeads):
        assign(layer.before, values(old.proj_l_kernel).T)
        assign(layer.after, values(old.proj_w_kernel).T)
        assign(layer.after_bias, values(old.proj_w_bias))
    return FoldedTensor(made, centered=centered)


def feed_forward(folding: Folding, step: Step) -> FoldedTensor:
    """Feed-forward of the required tokens."""
    old = step.operation
    tensor, gain, offset = folding.affine(step.input, folding.required_tokens(step))
    layer = FoldedFeedForward(hidden_dim=old.hidden_dim, dtype="float32", name=old.name)
    made = layer(tensor)
    LinearMap.of(old.fc1).after_affine(gain, offset).assign_to(layer.fc1)
    fc2, centered = folding.output_map(step, old.fc2)
    fc2.assign_to(layer.fc2)
    return FoldedTensor(made, centered=centered)


def add(folding: Folding, step: Step) -> FoldedTensor:
    """A residual addition."""
    found = [
        folding.read(tensor, folding.required_tokens(step)) for tensor in step.inputs
    ]
    layer = keras.layers.Add(dtype="float32", name=step.operation.name)
    centered = all(each.centered for each in found)
    return FoldedTensor(layer([each.tensor for each in found]), centered=centered)


def concatenate(folding: Folding, step: Step) -> FoldedTensor:
    """Tokens in front of patches, if any patch is required."""
    if folding.required_tokens(step) <= step.input.shape[1]:
        return folding.read(step.input, folding.required_tokens(step))
    found = [folding.read(tensor) for tensor in step.inputs]
    layer = keras.layers.Concatenate(axis=1, dtype="float32", name=step.operation.name)
    centered = all(each.centered for each in found)
    return FoldedTensor(layer([each.tensor for each in found]), centered=centered)


def select_tokens(folding: Folding, step: Step) -> FoldedTensor:
    """One token, `(batch, dim)`, or the first tokens."""
    selected = step.selected_tokens
    if isinstance(selected, slice):
        return folding.read(
            step.input, min(selected.stop, folding.required_tokens(step))
        )
    found = folding.read(step.input)
    _, tokens, dim = found.tensor.shape
    if tokens == 1:
        return replace(found, tensor=ops.reshape(found.tensor, (-1, dim)))
    return replace(found, tensor=found.tensor[:, selected])


def dense(folding: Folding, step: Step) -> FoldedTensor:
    """A linear layer, such as the classifier."""
    old = step.operation
    tensor, gain, offset = folding.affine(step.input, folding.required_tokens(step))
    made = _dense(tensor, LinearMap.of(old).after_affine(gain, offset), old)
    return FoldedTensor(made)


def mean_of_heads(folding: Folding, heads: MergedHeads) -> FoldedTensor:
    """The heads of a distilled model as one layer of their concatenated tokens."""
    tensor, gain, offset = folding.affine(heads.source, heads.tokens)
    row = ops.reshape(tensor, (-1, heads.tokens * tensor.shape[-1]))
    return FoldedTensor(_dense(row, heads.linear_map(gain, offset), heads.heads[0][1]))


def _dense(inputs: Tensor, linear_map: LinearMap, old: keras.layers.Dense) -> Tensor:
    layer = keras.layers.Dense(
        old.units, activation=old.activation, dtype="float32", name=old.name
    )
    outputs = layer(inputs)
    linear_map.assign_to(layer)
    return outputs
