"""Attention rollout: attention of the class token through all blocks."""

from typing import Any

import keras
import numpy as np

from keras_cait.models.features.token_layout import token_layout
from keras_cait.visualization.attention import each_attention_map


def attention_rollout(model: keras.Model, images: Any) -> dict[str, np.ndarray]:
    """Attention of the class token to the patches of the image through all blocks.

    `R_l = (A_l + I) / 2 R_(l-1)` from `R_0 = I`, where `A_l` is the mean of the heads'
    attention in block `l`, and `I` stands for the residual connection. In CaiT the
    self-attention blocks have rows for the patches alone, and the class-attention
    blocks for the class token alone; all other tokens stay as they are.

    Args:
        model: A CaiT, DeiT or DeiT III of this package.
        images: A batch of the model's inputs.

    Returns:
        "class", and "distillation" of a distilled model, to
        `(batch, rows, columns)`, each the part of the token's final state that comes
        from each patch; the rest, to 1, comes from the class and distillation token.

    Raises:
        ValueError: If the model has none of this package's attention layers.

    Example:
        >>> import keras_cait
        >>> model = keras_cait.DeiT(
        ...     input_shape=(16, 24, 3), patch_size=8, embed_dim=8, depth=2,
        ...     num_heads=2, distilled=True,
        ... )
        >>> rollout = attention_rollout(model, np.zeros((1, 16, 24, 3), "float32"))
        >>> {token: scores.shape for token, scores in rollout.items()}
        {'class': (1, 2, 3), 'distillation': (1, 2, 3)}

    Reference:
        Abnar and Zuidema, Quantifying Attention Flow in Transformers, section 3,
        https://arxiv.org/abs/2005.00928

    """
    layout = token_layout(model)
    prefix = len(layout.prefix)
    identity = np.eye(prefix + layout.patches, dtype="float32")
    rollout = identity[None]
    for _, scores in each_attention_map(model, images, layout.attention):
        attention = scores.mean(axis=1)  # (batch, queries, keys)
        queries, keys = attention.shape[1:]
        first = len(identity) - keys  # the patches' first row in CaiT's self-attention
        rows = slice(first, first + queries)
        step = np.repeat(identity[None], len(attention), axis=0)
        step[:, rows, first:] = (attention + identity[rows, first:]) / 2
        rollout = step @ rollout
    tokens = rollout[:, :prefix, prefix:].reshape(-1, prefix, *layout.grid_size)
    return {name: tokens[:, index] for index, name in enumerate(layout.prefix)}
