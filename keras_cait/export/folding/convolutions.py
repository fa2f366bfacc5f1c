"""Folding of batch normalization into convolutions."""

import keras

from keras_cait.export.folding.folded_tensors import FoldedTensor, Folding, assign
from keras_cait.export.folding.full_precision import float32_step
from keras_cait.export.folding.graph import Step
from keras_cait.export.folding.linear_maps import values


def convolution(folding: Folding, step: Step) -> FoldedTensor:
    """A convolution with the batch normalization after it, if there is one."""
    old = step.operation
    after = folding.graph.only_consumer(step.output)
    linear = old.activation is keras.activations.linear
    if after is None or not linear or not _is_batch_norm(after):
        return FoldedTensor(folding.rebuild(step))
    norm = after.operation
    gain = (values(norm.moving_variance) + norm.epsilon) ** -0.5
    if norm.scale:
        gain = gain * values(norm.gamma)
    bias = -values(norm.moving_mean) * gain
    if norm.center:
        bias = bias + values(norm.beta)
    if old.bias is not None:
        bias = bias + values(old.bias) * gain
    layer = float32_step(old, use_bias=True)
    made = layer(folding.tensor(step.input))
    assign(layer.kernel, values(old.kernel) * gain)
    assign(layer.bias, bias)
    folding.absorbed.add(after)
    return FoldedTensor(made)


def _is_batch_norm(step: Step) -> bool:
    if not step.calls(keras.layers.BatchNormalization):
        return False
    return step.operation.axis in (-1, len(step.input.shape) - 1)
