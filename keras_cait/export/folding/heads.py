"""Tokens picked out and classified, and convolutions with their batch norms."""

from dataclasses import replace

import keras
from keras import ops

from keras_cait.export.folding.folded_tensors import Folded, Folding, assign
from keras_cait.export.folding.full_precision import float32_step
from keras_cait.export.folding.graph import Step
from keras_cait.export.folding.linear_maps import LinearMap, values
from keras_cait.export.folding.merged_heads import MergedHeads
from keras_cait.typing import Tensor


def pick(folding: Folding, step: Step) -> Folded:
    """One token, `(batch, dim)`, or the first ones."""
    picked = step.picked_tokens
    if isinstance(picked, slice):
        return folding.read(step.input, min(picked.stop, folding.needed(step)))
    found = folding.read(step.input)
    _, tokens, dim = found.tensor.shape
    if tokens == 1:
        return replace(found, tensor=ops.reshape(found.tensor, (-1, dim)))
    return replace(found, tensor=found.tensor[:, picked])


def dense(folding: Folding, step: Step) -> Folded:
    """A linear layer between others, such as the classifier."""
    old = step.operation
    tensor, gain, offset = folding.affine(step.input, folding.needed(step))
    made = _dense(tensor, LinearMap.of(old).reading(gain, offset), old)
    return Folded(made)


def mean_of_heads(folding: Folding, heads: MergedHeads) -> Folded:
    """The heads of a distilled model as one, of both tokens in a row."""
    tensor, gain, offset = folding.affine(heads.source, heads.tokens)
    row = ops.reshape(tensor, (-1, heads.tokens * tensor.shape[-1]))
    return Folded(_dense(row, heads.linear_map(gain, offset), heads.heads[0][1]))


def _dense(inputs: Tensor, linear_map: LinearMap, old: keras.layers.Dense) -> Tensor:
    layer = keras.layers.Dense(
        old.units, activation=old.activation, dtype="float32", name=old.name
    )
    outputs = layer(inputs)
    linear_map.give(layer)
    return outputs


def convolution(folding: Folding, step: Step) -> Folded:
    """With the batch normalization behind it, if there is one."""
    old = step.operation
    behind = folding.graph.only_reader(step.output)
    linear = old.activation is keras.activations.linear
    if behind is None or not linear or not _is_batch_norm(behind):
        return Folded(folding.again(step))
    norm = behind.operation
    gain = (values(norm.moving_variance) + norm.epsilon) ** -0.5
    if norm.scale:
        gain = gain * values(norm.gamma)
    bias = -values(norm.moving_mean) * gain
    if norm.center:
        bias = bias + values(norm.beta)
    if old.bias is not None:
        bias = bias + values(old.bias) * gain
    layer = float32_step(old, use_bias=True)
    made = layer(folding.whole(step.input))
    assign(layer.kernel, values(old.kernel) * gain)
    assign(layer.bias, bias)
    folding.taken_over.add(behind)
    return Folded(made)


def _is_batch_norm(step: Step) -> bool:
    if not step.calls(keras.layers.BatchNormalization):
        return False
    return step.operation.axis in (-1, len(step.input.shape) - 1)
