"""timm's names for the weights of this package's models."""

import re
from collections.abc import Iterator

import keras

from keras_cait.layers import (
    ClassAttention,
    FeedForward,
    LayerScale,
    PatchEmbedding,
    PositionEmbedding,
    SelfAttention,
    TalkingHeads,
)
from keras_cait.layers.tokens import LearnedToken
from keras_cait.typing import Shape
from keras_cait.weights.timm.parameters import BatchCount, Parameter

_LINEAR = (1, 0)  # torch (out, in) -> Keras (in, out)
_CONVOLUTION = (2, 3, 1, 0)  # torch (out, in, rows, columns) -> Keras (rows, ...)


def timm_parameters(model: keras.Model) -> dict[str, Parameter | BatchCount]:
    """Every weight of a model by its name in timm, in the order of the layers.

    Raises `ValueError` if a weight has no counterpart in timm.
    """
    table: dict[str, Parameter | BatchCount] = {}
    for layer in model.layers:
        name = _timm_name(layer.name)
        if name is not None:
            table |= {name + suffix: entry for suffix, entry in _parameters(layer)}
    if not any(isinstance(layer, ClassAttention) for layer in model.layers):
        table = {
            re.sub(r"gamma_(\d)$", r"ls\1.gamma", name): parameter
            for name, parameter in table.items()  # LayerScale outside of CaiT
        }
    if "stem.conv.weight" in table:
        table = {
            re.sub(r"^head\.", "head.fc.", name): parameter
            for name, parameter in table.items()  # its head holds the pooling too
        }
    named = {id(getattr(parameter, "variable", None)) for parameter in table.values()}
    unnamed = [weight.path for weight in model.weights if id(weight) not in named]
    if unnamed:
        raise ValueError(
            "Expected a model as keras_cait.DeiT, DeiT3, CaiT and RegNetY make it. "
            f"Received: {model.name!r}, whose weights {unnamed} have no counterpart "
            "in timm."
        )
    return table


def timm_shapes(model: keras.Model) -> dict[str, Shape]:
    """The shape of every tensor of a model in timm, by its name there."""
    return {name: entry.timm_shape for name, entry in timm_parameters(model).items()}


# The layer's attribute, the end of the weight's name in timm, and its axes in timm.
_DENSE = (("kernel", ".weight", _LINEAR), ("bias", ".bias", (0,)))
_OWN_WEIGHTS = {
    PatchEmbedding: (("kernel", ".weight", _CONVOLUTION), ("bias", ".bias", (0,))),
    LearnedToken: (("token", "", (0, 1, 2)),),
    PositionEmbedding: (("position_embedding", "", (0, 1, 2)),),
    TalkingHeads: (
        ("proj_l_kernel", ".proj_l.weight", _LINEAR),
        ("proj_l_bias", ".proj_l.bias", (0,)),
        ("proj_w_kernel", ".proj_w.weight", _LINEAR),
        ("proj_w_bias", ".proj_w.bias", (0,)),
    ),
    LayerScale: (("gamma", "", (0,)),),
    keras.layers.LayerNormalization: (
        ("gamma", ".weight", (0,)),
        ("beta", ".bias", (0,)),
    ),
    keras.layers.Dense: _DENSE,
    keras.layers.Conv2D: (
        ("kernel", ".weight", _CONVOLUTION),
        ("bias", ".bias", (0,)),
    ),
    keras.layers.BatchNormalization: (
        ("gamma", ".weight", (0,)),
        ("beta", ".bias", (0,)),
        ("moving_mean", ".running_mean", (0,)),
        ("moving_variance", ".running_var", (0,)),
    ),
}
# The projections inside a layer, which have the same names in timm.
_PROJECTIONS = {
    SelfAttention: ("qkv", "proj"),
    ClassAttention: ("q", "k", "v", "proj"),
    FeedForward: ("fc1", "fc2"),
}


def _parameters(
    layer: keras.layers.Layer,
) -> Iterator[tuple[str, Parameter | BatchCount]]:
    """The parameters of a layer, by the end of their names in timm."""
    for kind, weights in _OWN_WEIGHTS.items():
        if isinstance(layer, kind):
            yield from _weights(layer, weights)
    for kind, parts in _PROJECTIONS.items():
        if isinstance(layer, kind):
            for part in parts:
                for suffix, parameter in _weights(getattr(layer, part), _DENSE):
                    yield f".{part}{suffix}", parameter
    if isinstance(layer, keras.layers.BatchNormalization):
        yield ".num_batches_tracked", BatchCount()


def _weights(
    layer: keras.layers.Layer, weights: tuple[tuple[str, str, tuple[int, ...]], ...]
) -> Iterator[tuple[str, Parameter | BatchCount]]:
    for attribute, suffix, axes in weights:
        variable = getattr(layer, attribute)
        if variable is not None:  # a convolution before a normalization has no bias
            yield suffix, Parameter(variable, axes)


_LAYERS = {
    "patch_embedding": "patch_embed.proj",
    "class_token": "cls_token",
    "distillation_token": "dist_token",
    "position_embedding": "pos_embed",
    "norm": "norm",
    "stem_conv": "stem.conv",
    "stem_norm": "stem.bn",
    "head": "head",
    "head_distillation": "head_dist",
}
_TRANSFORMER_BLOCK = {
    "norm1": "norm1",
    "attention": "attn",
    "scale1": "gamma_1",
    "norm2": "norm2",
    "feed_forward": "mlp",
    "scale2": "gamma_2",
}
_REGNET_BLOCK = {
    "conv1": "conv1.conv",
    "norm1": "conv1.bn",
    "conv2": "conv2.conv",
    "norm2": "conv2.bn",
    "squeeze": "se.fc1",
    "excite": "se.fc2",
    "conv3": "conv3.conv",
    "norm3": "conv3.bn",
    "shortcut_conv": "downsample.conv",
    "shortcut_norm": "downsample.bn",
}
# Beginning of the names of a block's layers, that of timm's names, and their ends.
_BLOCKS = (
    (r"block_(\d+)_", r"blocks.{}.", _TRANSFORMER_BLOCK),
    (r"class_block_(\d+)_", r"blocks_token_only.{}.", _TRANSFORMER_BLOCK),
    (r"stage_(\d+)_block_(\d+)_", r"s{}.b{}.", _REGNET_BLOCK),
)


def _timm_name(layer_name: str) -> str | None:
    """For example "block_3_attention" to "blocks.3.attn"; None if timm has no name."""
    for ours, theirs, parts in _BLOCKS:
        block = re.match(ours, layer_name)
        if block is not None:
            part = parts.get(layer_name[block.end() :])
            return part and theirs.format(*block.groups()) + part
    return _LAYERS.get(layer_name)
