"""Attention maps of every block of a model."""

from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np

from keras_cait.layers.attention.multi_head import MultiHeadAttention
from keras_cait.models.features.token_layout import attention_layers, token_layout
from keras_cait.models.functional_model import with_outputs


def attention_maps(model: keras.Model, images: Any) -> dict[str, np.ndarray]:
    """The softmaxed attention of every block, without changing the model.

    Args:
        model: A CaiT or DeiT of this package.
        images: A batch of the model's inputs.

    Returns:
        Name of the attention layer to `(batch, heads, queries, keys)`, in the
        order of the blocks; rows add up to 1. Talking heads are shown before
        their second mix; class attention has one query, the class token, or two
        with a distillation token.

    Raises:
        ValueError: If the model has none of this package's attention layers.

    Example:
        >>> import keras_cait
        >>> model = keras_cait.CaiT(
        ...     input_shape=(16, 16, 3), patch_size=8, embed_dim=8, depth=1, num_heads=2
        ... )
        >>> maps = attention_maps(model, np.zeros((1, 16, 16, 3), "float32"))
        >>> {name: scores.shape for name, scores in maps.items()}["block_0_attention"]
        (1, 2, 4, 4)

    Reference:
        Touvron et al., Going deeper with Image Transformers, section 5.5,
        https://arxiv.org/abs/2103.17239

    """
    return dict(each_attention_map(model, images, attention_layers(model)))


def each_attention_map(
    model: keras.Model, images: Any, layers: Sequence[MultiHeadAttention]
) -> Iterator[tuple[str, np.ndarray]]:
    """As `attention_maps`, of these layers, one after the other: it saves memory."""
    reads = with_outputs(model, [layer.input for layer in layers])
    for layer, tokens in zip(layers, keras.tree.flatten(reads(images)), strict=True):
        _, scores = layer(tokens, return_attention_scores=True)
        yield layer.name, np.array(keras.ops.convert_to_numpy(scores))


def token_attention(
    model: keras.Model, images: Any
) -> dict[str, dict[str, np.ndarray]]:
    """Attention of the class token to the image, for each head of each block.

    Args:
        model: A CaiT, DeiT or DeiT III of this package.
        images: A batch of the model's inputs.

    Returns:
        "class", and "distillation" of a distilled model, to a dictionary: name of the
        attention layer to `(batch, heads, rows, columns)`, in the order of the blocks.
        Of CaiT it has the class-attention layers. A map adds up to 1 minus the
        attention to the class and distillation token.

    Raises:
        ValueError: If the model has none of this package's attention layers.

    Example:
        >>> import keras_cait
        >>> model = keras_cait.CaiT(
        ...     input_shape=(16, 24, 3), patch_size=8, embed_dim=8, depth=1, num_heads=2
        ... )
        >>> maps = token_attention(model, np.zeros((1, 16, 24, 3), "float32"))
        >>> {name: scores.shape for name, scores in maps["class"].items()}
        {'class_block_0_attention': (1, 2, 2, 3),
         'class_block_1_attention': (1, 2, 2, 3)}

    Reference:
        Touvron et al., Going deeper with Image Transformers, section 5.5,
        https://arxiv.org/abs/2103.17239

    """
    layout = token_layout(model)
    prefix = len(layout.prefix)
    found: dict[str, dict[str, np.ndarray]] = {name: {} for name in layout.prefix}
    for layer, scores in each_attention_map(model, images, layout.prefix_attention):
        for index, token in enumerate(layout.prefix):
            rows = scores[:, :, index, prefix:]
            found[token][layer] = rows.reshape(*rows.shape[:2], *layout.grid_size)
    return found
