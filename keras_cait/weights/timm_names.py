"""timm's parameter names for the layers of our models, in both directions."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import keras
import numpy as np

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

_LINEAR = (1, 0)  # torch (out, in) -> Keras (in, out)
_CONVOLUTION = (2, 3, 1, 0)  # torch (out, in, rows, columns) -> Keras (rows, ...)


@dataclass(frozen=True)
class Parameter:
    """One of our variables and how timm lays it out.

    Attributes:
        variable: The Keras variable.
        axes: Where each of its axes stands in timm's tensor.
    """

    variable: keras.Variable
    axes: tuple[int, ...]

    @property
    def timm_shape(self) -> Shape:
        """The shape of timm's tensor."""
        return tuple(self.variable.shape[axis] for axis in np.argsort(self.axes))

    def from_timm(self, tensor: np.ndarray) -> np.ndarray:
        """timm's tensor in Keras's layout."""
        return tensor.transpose(self.axes)

    def to_timm(self) -> np.ndarray:
        """The variable's value in timm's layout."""
        value = keras.ops.convert_to_numpy(self.variable.value)
        return np.ascontiguousarray(value.transpose(np.argsort(self.axes)))


def timm_parameters(model: keras.Model) -> dict[str, Parameter]:
    """Every weight of a model under the name that timm gives it.

    Args:
        model: A DeiT or CaiT of this package.

    Returns:
        Name in timm's state dict to `Parameter`, in the order of the layers.

    Raises:
        ValueError: If a weight of the model has no counterpart in timm.

    """
    table = {
        name: parameter
        for layer in model.layers
        for name, parameter in _layer_parameters(layer)
    }
    if not any(isinstance(layer, ClassAttention) for layer in model.layers):
        table = {
            re.sub(r"gamma_(\d)$", r"ls\1.gamma", name): parameter
            for name, parameter in table.items()  # LayerScale outside of CaiT
        }
    named = {id(parameter.variable) for parameter in table.values()}
    unnamed = [weight.path for weight in model.weights if id(weight) not in named]
    if unnamed:
        raise ValueError(
            "Expected a model made of keras_cait's layers as keras_cait.DeiT and "
            f"keras_cait.CaiT make it. Received: {model.name!r}, whose weights "
            f"{unnamed} have no counterpart in timm."
        )
    return table


# Our attribute, what timm appends to the layer's name, and the layout.
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
}
# The projections inside a layer, which timm calls as we do.
_PROJECTIONS = {
    SelfAttention: ("qkv", "proj"),
    ClassAttention: ("q", "k", "v", "proj"),
    FeedForward: ("fc1", "fc2"),
}


def _layer_parameters(layer: keras.layers.Layer) -> Iterator[tuple[str, Parameter]]:
    name = _timm_name(layer.name)
    for kind, weights in _OWN_WEIGHTS.items():
        if isinstance(layer, kind):
            for attribute, suffix, axes in weights:
                yield name + suffix, Parameter(getattr(layer, attribute), axes)
    for kind, parts in _PROJECTIONS.items():
        if isinstance(layer, kind):
            for part in parts:
                for attribute, suffix, axes in _DENSE:
                    weight = getattr(getattr(layer, part), attribute)
                    yield f"{name}.{part}{suffix}", Parameter(weight, axes)


_LAYER_NAMES = {
    "patch_embedding": "patch_embed.proj",
    "class_token": "cls_token",
    "distillation_token": "dist_token",
    "position_embedding": "pos_embed",
    "attention": "attn",
    "feed_forward": "mlp",
    "scale1": "gamma_1",
    "scale2": "gamma_2",
    "head_distillation": "head_dist",
}


def _timm_name(layer_name: str) -> str:
    """For example "block_3_attention" to "blocks.3.attn"."""
    block = re.fullmatch(r"(class_)?block_(\d+)_(\w+)", layer_name)
    if block is None:
        return _LAYER_NAMES.get(layer_name, layer_name)
    stage, index, part = block.groups()
    blocks = "blocks_token_only" if stage else "blocks"
    return f"{blocks}.{index}.{_LAYER_NAMES.get(part, part)}"
