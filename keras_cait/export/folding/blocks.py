"""Norms, attention and feed-forward for inference."""

import keras

from keras_cait.export.folding.folded_attention import (
    FoldedClassAttention,
    FoldedSelfAttention,
    FoldedTalkingHeads,
)
from keras_cait.export.folding.folded_layers import FoldedFeedForward, FoldedNorm
from keras_cait.export.folding.folded_tensors import Folded, Folding, assign
from keras_cait.export.folding.graph import Step
from keras_cait.export.folding.linear_maps import LinearMap, values
from keras_cait.layers import ClassAttention, TalkingHeads


def norm(folding: Folding, step: Step) -> Folded:
    """Leaves gain and bias to the linear layers, and takes no mean off twice."""
    old = step.operation
    found = folding.read(step.input, folding.needed(step))
    absorbed = folding.needs.is_absorbed(step.output)
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
        return Folded(tensor)
    return Folded(
        tensor,
        gain=values(old.gamma) if old.scale else None,
        offset=values(old.beta) if old.center else None,
    )


def attention(folding: Folding, step: Step) -> Folded:
    """Any of the three, for the queries that are needed."""
    old = step.operation
    tensor, gain, offset = folding.affine(step.input)
    queries = folding.needed(step)
    if isinstance(old, ClassAttention):
        queries = min(queries, old.num_query_tokens)
        maps = [LinearMap.of(layer) for layer in (old.q, old.k, old.v)]
    else:
        maps = LinearMap.of(old.qkv).parts(3)
    query, key, value = (each.reading(gain, offset) for each in maps)
    query = query.scaled((tensor.shape[-1] / old.num_heads) ** -0.5)
    proj, centered = folding.written(step, old.proj)

    sizes = {"num_heads": old.num_heads, "dtype": "float32", "name": old.name}
    if isinstance(old, TalkingHeads):
        layer = FoldedTalkingHeads(**sizes)
    elif queries < tensor.shape[1]:
        layer = FoldedClassAttention(num_queries=int(queries), **sizes)
    else:
        layer = FoldedSelfAttention(**sizes)
    made = layer(tensor)
    proj.give(layer.proj)
    if isinstance(layer, FoldedClassAttention):
        query.give(layer.q)
        LinearMap.beside(key, value).give(layer.kv)
    else:
        LinearMap.beside(query, key, value).give(layer.qkv)
    if isinstance(layer, FoldedTalkingHeads):
        assign(layer.before, values(old.proj_l_kernel).T)
        assign(layer.after, values(old.proj_w_kernel).T)
        assign(layer.after_bias, values(old.proj_w_bias))
    return Folded(made, centered=centered)


def feed_forward(folding: Folding, step: Step) -> Folded:
    """Of the tokens that are needed."""
    old = step.operation
    tensor, gain, offset = folding.affine(step.input, folding.needed(step))
    layer = FoldedFeedForward(hidden_dim=old.hidden_dim, dtype="float32", name=old.name)
    made = layer(tensor)
    LinearMap.of(old.fc1).reading(gain, offset).give(layer.fc1)
    fc2, centered = folding.written(step, old.fc2)
    fc2.give(layer.fc2)
    return Folded(made, centered=centered)


def add(folding: Folding, step: Step) -> Folded:
    """A residual."""
    found = [folding.read(tensor, folding.needed(step)) for tensor in step.inputs]
    layer = keras.layers.Add(dtype="float32", name=step.operation.name)
    centered = all(each.centered for each in found)
    return Folded(layer([each.tensor for each in found]), centered=centered)


def join(folding: Folding, step: Step) -> Folded:
    """Tokens in front of patches, if any patch is needed."""
    if folding.needed(step) <= step.input.shape[1]:
        return folding.read(step.input, folding.needed(step))
    found = [folding.read(tensor) for tensor in step.inputs]
    layer = keras.layers.Concatenate(axis=1, dtype="float32", name=step.operation.name)
    centered = all(each.centered for each in found)
    return Folded(layer([each.tensor for each in found]), centered=centered)
