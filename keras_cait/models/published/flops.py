"""Floating-point operations of a model, as the published tables count them."""

import math
from functools import singledispatch

import keras

from keras_cait.layers import (
    ClassAttention,
    FeedForward,
    SelfAttention,
    TalkingHeads,
)
from keras_cait.layers.attention.multi_head import MultiHeadAttention


def flops(model: keras.Model) -> int:
    """Floating-point operations of a forward pass of one image.

    Matrix products and convolutions count, two operations for each multiply-add. Norms,
    activations, softmax, additions and poolings do not, as in the papers, whose "FLOPs"
    are multiply-adds: half of these.

    Args:
        model: A model of this package; its input has a known image size.

    Example:
        >>> import keras_cait
        >>> model = keras_cait.CaiT_XXS24(weights=None)
        >>> round(flops(model) / 1e9, 2)  # half of it, 2.5, is in the paper's table
        5.05

    Reference:
        CaiT, table 3, https://arxiv.org/abs/2103.17239; DeiT III, table 1,
        https://arxiv.org/abs/2204.07118

    """
    return 2 * sum(_multiply_adds(layer) for layer in model.layers)


@singledispatch
def _multiply_adds(layer: keras.layers.Layer) -> int:
    """Of a layer with a kernel: its size, at each place of the output."""
    kernel = getattr(layer, "kernel", None)
    if kernel is None:
        return 0
    return math.prod(kernel.shape) * math.prod(layer.output.shape[1:-1])


@_multiply_adds.register
def _(model: keras.Model) -> int:
    return flops(model) // 2


@_multiply_adds.register
def _(layer: FeedForward) -> int:
    places = math.prod(layer.input.shape[1:-1])
    return places * _kernels(layer.fc1, layer.fc2)


@_multiply_adds.register
def _of_self_attention(layer: SelfAttention) -> int:
    _, tokens, _ = layer.input.shape
    return tokens * _kernels(layer.qkv, layer.proj) + _products(layer)


@_multiply_adds.register
def _(layer: TalkingHeads) -> int:
    _, tokens, _ = layer.input.shape
    mixes = 2 * layer.num_heads**2 * tokens**2
    return _of_self_attention(layer) + mixes


@_multiply_adds.register
def _(layer: ClassAttention) -> int:
    _, tokens, _ = layer.input.shape
    return (
        layer.num_query_tokens * _kernels(layer.q, layer.proj)
        + tokens * _kernels(layer.k, layer.v)
        + _products(layer)
    )


def _products(layer: MultiHeadAttention) -> int:
    """Of queries with keys, and of attention with values."""
    _, tokens, dim = layer.input.shape
    return 2 * layer.num_queries(tokens) * tokens * dim


def _kernels(*layers: keras.layers.Dense) -> int:
    return sum(math.prod(layer.kernel.shape) for layer in layers)
