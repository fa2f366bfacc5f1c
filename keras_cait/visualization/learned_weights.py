"""Learned weights as arrays: gains, mixes of heads, and positions."""

import keras
import numpy as np

from keras_cait.layers import LayerScale, PositionEmbedding, TalkingHeads
from keras_cait.models.features.token_layout import token_layout


def layer_scale_gains(model: keras.Model) -> dict[str, np.ndarray]:
    """Gains of each LayerScale, by depth.

    Args:
        model: A CaiT or DeiT III of this package.

    Returns:
        Name of the layer to `(dim,)`, in the order of the blocks, two a block: of
        attention ("scale1") and of feed-forward ("scale2").

    Raises:
        ValueError: If the model has no LayerScale.

    Example:
        >>> import keras_cait
        >>> model = keras_cait.CaiT(
        ...     input_shape=(16, 16, 3), patch_size=8, embed_dim=8, depth=1, num_heads=2
        ... )
        >>> {name: gains.shape for name, gains in layer_scale_gains(model).items()}[
        ...     "block_0_scale1"
        ... ]
        (8,)

    Reference:
        Touvron et al., Going deeper with Image Transformers, section 2,
        https://arxiv.org/abs/2103.17239

    """
    layers = _layers(model, LayerScale)
    return {layer.name: _array(layer.gamma) for layer in layers}


def mixing_matrices(model: keras.Model) -> dict[str, dict[str, np.ndarray]]:
    """Matrices that mix the heads of each talking-heads attention.

    Args:
        model: A CaiT of this package.

    Returns:
        Name of the layer to a dictionary: "before" the softmax and "after" it, each
        `(heads, heads)`: row `i` has the weights with which each head enters mixed
        head `i`.

    Raises:
        ValueError: If the model has no talking heads.

    Example:
        >>> import keras_cait
        >>> model = keras_cait.CaiT(
        ...     input_shape=(16, 16, 3), patch_size=8, embed_dim=8, depth=1, num_heads=2
        ... )
        >>> mixing_matrices(model)["block_0_attention"]["before"].shape
        (2, 2)

    Reference:
        Touvron et al., Going deeper with Image Transformers, section 3,
        https://arxiv.org/abs/2103.17239; Shazeer et al., Talking-Heads Attention,
        https://arxiv.org/abs/2003.02436

    """
    return {
        layer.name: {
            "before": _array(layer.proj_l_kernel).T,
            "after": _array(layer.proj_w_kernel).T,
        }
        for layer in _layers(model, TalkingHeads)
    }


def position_similarity(model: keras.Model) -> np.ndarray:
    """Cosine between the position embeddings of all patches.

    Args:
        model: A CaiT, DeiT or DeiT III of this package.

    Returns:
        `(rows, columns, rows, columns)` in [-1, 1]: entry `[i, j]` is the similarity of
        the patch in row `i`, column `j` to each patch of the grid.

    Raises:
        ValueError: If the model has no position embedding.

    Example:
        >>> import keras_cait
        >>> model = keras_cait.DeiT(
        ...     input_shape=(16, 24, 3), patch_size=8, embed_dim=8, depth=1, num_heads=2
        ... )
        >>> position_similarity(model).shape
        (2, 3, 2, 3)

    Reference:
        Dosovitskiy et al., An Image is Worth 16x16 Words, figure 7,
        https://arxiv.org/abs/2010.11929

    """
    layout = token_layout(model)
    (layer,) = _layers(model, PositionEmbedding)
    vectors = _array(layer.position_embedding)[0, -layout.patches :].astype("float64")
    vectors /= np.linalg.norm(vectors, axis=-1, keepdims=True)
    return (vectors @ vectors.T).reshape(*layout.grid_size, *layout.grid_size)


def _layers(model: keras.Model, kind: type) -> list:
    found = [layer for layer in model.layers if isinstance(layer, kind)]
    if not found:
        raise ValueError(
            f"Expected a model with {kind.__name__} layers. Received: {model.name!r}, "
            "which has none at its top level."
        )
    return found


def _array(weight: keras.Variable) -> np.ndarray:
    return np.array(keras.ops.convert_to_numpy(weight))
