"""Attention of the class token to the patches, as an output of a model."""

from dataclasses import dataclass
from typing import Any

import keras

from keras_cait.export.folding.full_precision import in_float32
from keras_cait.models.features.class_attention_maps import ClassAttentionMaps
from keras_cait.models.features.token_layout import token_layout
from keras_cait.typing import Tensor


@dataclass(frozen=True, kw_only=True)
class MapOrder:
    """Order of the maps of an output: map `block * heads + head`."""

    blocks: int
    heads: int

    def __str__(self) -> str:
        return f"{self.blocks} blocks x {self.heads} heads"

    @classmethod
    def of(cls, model: keras.Model) -> "MapOrder":
        """That of a model's blocks in which the class token attends to the patches.

        Raises `ValueError` if it is no CaiT, DeiT or DeiT III.
        """
        layers = token_layout(model).prefix_attention
        return cls(blocks=len(layers), heads=layers[0].num_heads)


def with_class_attention(model: keras.Model) -> tuple[keras.Model, Tensor]:
    """Rebuilds a model in float32; returns it and its symbolic class attention.

    That is `(batch, blocks * heads, rows, columns)`, for each head of each
    class-attention block of CaiT, or of each block of DeiT, the attention of the class
    token to the patches after the softmax. It equals the maps of the class token that
    `keras_cait.visualization.token_attention` gives as arrays.
    """
    layout = token_layout(model)
    names = {layer.name for layer in layout.prefix_attention}
    scores: list[Tensor] = []

    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        if layer.name not in names:
            return layer(*args, **kwargs)
        outputs, of_layer = layer(*args, **kwargs, return_attention_scores=True)
        scores.append(of_layer)
        return outputs

    rebuilt = in_float32(model, call=call)
    maps = ClassAttentionMaps(
        grid_size=layout.grid_size, dtype="float32", name="class_attention"
    )
    return rebuilt, maps(scores)
