"""Attention maps of every block of a model."""

from typing import Any

import keras
import numpy as np

from keras_cait.layers.attention.multi_head import MultiHeadAttention


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
    layers = [layer for layer in model.layers if isinstance(layer, MultiHeadAttention)]
    if not layers:
        raise ValueError(
            "Expected a model with attention layers of keras_cait. Received: "
            f"{model.name!r}, which has none at its top level."
        )
    inputs = model.inputs[0] if len(model.inputs) == 1 else model.inputs
    reads = keras.Model(inputs, [layer.input for layer in layers])
    found = {}
    for layer, tokens in zip(layers, keras.tree.flatten(reads(images)), strict=True):
        _, scores = layer(tokens, return_attention_scores=True)
        found[layer.name] = np.array(keras.ops.convert_to_numpy(scores))
    return found
