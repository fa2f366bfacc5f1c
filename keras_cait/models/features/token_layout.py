"""Places of the tokens of a transformer: prefix tokens, patches and blocks."""

from dataclasses import dataclass

import keras

from keras_cait.layers import (
    ClassAttention,
    ClassToken,
    DistillationToken,
    PositionEmbedding,
)
from keras_cait.layers.attention.multi_head import MultiHeadAttention
from keras_cait.typing import Tensor


@dataclass(frozen=True)
class TokenLayout:
    """The tokens of a model of this package, class token first, patches last.

    Attributes:
        attention: Its attention layers, in the order of the blocks.
        grid_size: Rows and columns of patches.
        prefix: Names of the tokens before the patches: "class", and "distillation" of
            a distilled model. In CaiT they join the patches after the last
            self-attention block.
    """

    model: keras.Model
    attention: tuple[MultiHeadAttention, ...]
    grid_size: tuple[int, int]
    prefix: tuple[str, ...]

    @property
    def patches(self) -> int:
        """Number of patches."""
        rows, columns = self.grid_size
        return rows * columns

    @property
    def depth(self) -> int:
        """Number of self-attention blocks."""
        return sum(not isinstance(one, ClassAttention) for one in self.attention)

    @property
    def prefix_attention(self) -> list[MultiHeadAttention]:
        """The attention layers that read prefix tokens: of CaiT the class attention."""
        tokens = len(self.prefix) + self.patches
        return [layer for layer in self.attention if layer.input.shape[1] == tokens]

    def block_output(self, index: int) -> Tensor:
        """Symbolic tokens after a self-attention block, `(batch, tokens, dim)`."""
        return self.model.get_layer(f"block_{index}_add2").output

    def prefix_states(self) -> list[Tensor]:
        """Symbolic prefix tokens before the first block that has them, and after each.

        Each is `(batch, prefix, dim)`. In CaiT the blocks are those of class attention.
        """
        names = [row.name.removesuffix("_attention") for row in self.prefix_attention]
        states = [self.model.get_layer(f"{names[0]}_norm1").input]
        states += [self.model.get_layer(f"{name}_add2").output for name in names]
        # Layers with names: those of operations may be taken in a model of a file.
        return [
            keras.layers.Cropping1D(
                (0, state.shape[1] - len(self.prefix)), name=f"prefix_state_{index}"
            )(state)
            for index, state in enumerate(states)
        ]


def attention_layers(model: keras.Model) -> list[MultiHeadAttention]:
    """The attention layers of a model, in the order of its blocks.

    Raises `ValueError` if it has none of this package.
    """
    layers = getattr(model, "layers", ())
    found = [layer for layer in layers if isinstance(layer, MultiHeadAttention)]
    if not found:
        raise ValueError(
            "Expected a model with attention layers of keras_cait. Received: "
            f"{model.name!r}, which has none at its top level."
        )
    return found


def token_layout(model: keras.Model) -> TokenLayout:
    """The layout of a model's tokens.

    Raises `ValueError` if it is no CaiT, DeiT or DeiT III of this package.
    """
    attention = attention_layers(model)
    positions = [
        layer for layer in model.layers if isinstance(layer, PositionEmbedding)
    ]
    kinds = {type(layer) for layer in model.layers}
    if len(positions) != 1 or ClassToken not in kinds:
        raise ValueError(
            "Expected a CaiT, DeiT or DeiT III of keras_cait. Received: "
            f"{model.name!r}, which has {len(positions)} PositionEmbedding layers, and "
            f"{'a' if ClassToken in kinds else 'no'} ClassToken."
        )
    names = {ClassToken: "class", DistillationToken: "distillation"}
    prefix = tuple(name for kind, name in names.items() if kind in kinds)
    return TokenLayout(model, tuple(attention), positions[0].grid_size, prefix)
