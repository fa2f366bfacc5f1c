"""Dense features: the tokens of each patch after the blocks of a transformer."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from keras_cait.models.features.token_layout import TokenLayout, token_layout
from keras_cait.models.functional_model import with_outputs


def feature_model(
    model: keras.Model,
    blocks: Sequence[int] | None = None,
    *,
    normalized: bool = False,
) -> keras.Model:
    """Returns the same model, weights shared, with features of each patch as outputs.

    It is a backbone for detection, segmentation or retrieval: it can be trained and
    saved as any functional model.

    Args:
        model: A CaiT, DeiT or DeiT III of this package, with or without its head.
        blocks: Indices of self-attention blocks; negative ones count from the end.
            By default the last block. Class-attention blocks of CaiT leave the patches
            unchanged.
        normalized: Whether the model's last norm is applied to the features, as the
            head sees them, or they are those of the residual stream.

    Returns:
        A `keras.Model` whose output is a dictionary: "block_11" and the like to
        `(batch, rows, columns, dim)`, in the order of `blocks`.

    Raises:
        ValueError: If the model is no transformer of this package, or has no such
            block.

    Example:
        >>> import keras_cait
        >>> model = keras_cait.CaiT(
        ...     input_shape=(32, 48, 3), patch_size=8, embed_dim=16, depth=3,
        ...     num_heads=2,
        ... )
        >>> backbone = feature_model(model, blocks=[0, -1])
        >>> {name: tensor.shape for name, tensor in backbone.output.items()}
        {'block_0': (None, 4, 6, 16), 'block_2': (None, 4, 6, 16)}

    Reference:
        Touvron et al., Going deeper with Image Transformers, section 3,
        https://arxiv.org/abs/2103.17239

    """
    layout = token_layout(model)
    features = {}
    for index in _indices(layout, blocks):
        tokens = layout.block_output(index)
        if normalized:
            tokens = model.get_layer("norm")(tokens)
        patches = tokens[:, tokens.shape[1] - layout.patches :]
        shape = (*layout.grid_size, tokens.shape[-1])
        name = f"block_{index}"
        features[name] = keras.layers.Reshape(shape, name=f"{name}_features")(patches)
    return with_outputs(model, features, name=f"{model.name}_features")


def feature_maps(
    model: keras.Model,
    images: Any,
    blocks: Sequence[int] | None = None,
    *,
    normalized: bool = False,
) -> dict[str, np.ndarray]:
    """Features of each patch of a batch of images, without changing the model.

    Args:
        model: As of `feature_model`.
        images: A batch of the model's inputs, `(batch, height, width, channels)`.
        blocks: As of `feature_model`.
        normalized: As of `feature_model`.

    Returns:
        "block_11" and the like to `(batch, rows, columns, dim)`, in the order of
        `blocks`.

    Raises:
        ValueError: As of `feature_model`.

    Example:
        >>> import keras_cait
        >>> model = keras_cait.DeiT(
        ...     input_shape=(32, 48, 3), patch_size=8, embed_dim=16, depth=2,
        ...     num_heads=2,
        ... )
        >>> feature_maps(model, np.zeros((1, 32, 48, 3), "float32"))["block_1"].shape
        (1, 4, 6, 16)

    """
    features = feature_model(model, blocks, normalized=normalized)(images)
    return {
        name: np.array(keras.ops.convert_to_numpy(tensor))
        for name, tensor in features.items()
    }


def _indices(layout: TokenLayout, blocks: Sequence[int] | None) -> list[int]:
    depth = layout.depth
    chosen = [-1] if blocks is None else list(blocks)
    if not chosen or not all(-depth <= index < depth for index in chosen):
        raise ValueError(
            f"`blocks` must be indices of the {depth} self-attention blocks, "
            f"{-depth} to {depth - 1}. Received: blocks={blocks}"
        )
    return [index % depth for index in chosen]
