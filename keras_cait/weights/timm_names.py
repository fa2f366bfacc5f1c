"""timm's parameter names for the layers of our models, in both directions."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import keras
import numpy as np

from keras_cait.layers import (
    ClassToken,
    DistillationToken,
    FeedForward,
    PatchEmbedding,
    PositionEmbedding,
    SelfAttention,
)
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
        model: A DeiT of this package.

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
    named = {id(parameter.variable) for parameter in table.values()}
    unnamed = [weight.path for weight in model.weights if id(weight) not in named]
    if unnamed:
        raise ValueError(
            "Expected a model made of keras_cait's layers as keras_cait.DeiT makes "
            f"it. Received: {model.name!r}, whose weights {unnamed} have no "
            "counterpart in timm."
        )
    return table


def _layer_parameters(layer: keras.layers.Layer) -> Iterator[tuple[str, Parameter]]:
    name = _timm_name(layer.name)
    match layer:
        case PatchEmbedding():
            yield f"{name}.weight", Parameter(layer.kernel, _CONVOLUTION)
            yield f"{name}.bias", Parameter(layer.bias, (0,))
        case ClassToken() | DistillationToken():
            yield name, Parameter(layer.token, (0, 1, 2))
        case PositionEmbedding():
            yield name, Parameter(layer.position_embedding, (0, 1, 2))
        case SelfAttention():
            yield from _linear(f"{name}.qkv", layer.qkv)
            yield from _linear(f"{name}.proj", layer.proj)
        case FeedForward():
            yield from _linear(f"{name}.fc1", layer.fc1)
            yield from _linear(f"{name}.fc2", layer.fc2)
        case keras.layers.LayerNormalization():
            yield f"{name}.weight", Parameter(layer.gamma, (0,))
            yield f"{name}.bias", Parameter(layer.beta, (0,))
        case keras.layers.Dense():
            yield from _linear(name, layer)


def _linear(name: str, layer: keras.layers.Dense) -> Iterator[tuple[str, Parameter]]:
    yield f"{name}.weight", Parameter(layer.kernel, _LINEAR)
    yield f"{name}.bias", Parameter(layer.bias, (0,))


_LAYER_NAMES = {
    "patch_embedding": "patch_embed.proj",
    "class_token": "cls_token",
    "distillation_token": "dist_token",
    "position_embedding": "pos_embed",
    "attention": "attn",
    "feed_forward": "mlp",
    "head_distillation": "head_dist",
}


def _timm_name(layer_name: str) -> str:
    """For example "block_3_attention" to "blocks.3.attn"."""
    block = re.fullmatch(r"block_(\d+)_(\w+)", layer_name)
    if block is None:
        return _LAYER_NAMES.get(layer_name, layer_name)
    index, part = block.groups()
    return f"blocks.{index}.{_LAYER_NAMES.get(part, part)}"
