"""Class and distillation token from block to block."""

from typing import Any

import keras
import numpy as np

from keras_cait.models.features.token_layout import token_layout
from keras_cait.models.functional_model import with_outputs


def token_cosines(model: keras.Model, images: Any) -> np.ndarray:
    """Cosine between class and distillation token, by depth.

    Both tokens start nearly orthogonal and become similar, but not equal, because the
    teacher's predictions are similar to the labels: 0.06 at the input and 0.93 after
    the last block in the paper.

    Args:
        model: A distilled DeiT or CaiT of this package.
        images: A batch of the model's inputs.

    Returns:
        `(blocks + 1, batch)`, in [-1, 1]: before the first block and after each. The
        blocks of CaiT are those of class attention.

    Raises:
        ValueError: If the model has no distillation token.

    Example:
        >>> import keras_cait
        >>> model = keras_cait.DeiT(
        ...     input_shape=(16, 16, 3), patch_size=8, embed_dim=8, depth=2,
        ...     num_heads=2, distilled=True,
        ... )
        >>> token_cosines(model, np.zeros((3, 16, 16, 3), "float32")).shape
        (3, 3)

    Reference:
        Touvron et al., Training data-efficient image transformers & distillation
        through attention, section 4, https://arxiv.org/abs/2012.12877

    """
    layout = token_layout(model)
    if layout.prefix != ("class", "distillation"):
        raise ValueError(
            "Expected a model with a distillation token (distilled=True). Received: "
            f"{model.name!r}, which has none."
        )
    states = with_outputs(model, layout.prefix_states())(images)
    cosines = []
    for state in states:
        tokens = np.array(keras.ops.convert_to_numpy(state), "float64")
        tokens /= np.linalg.norm(tokens, axis=-1, keepdims=True)
        cosines.append((tokens[:, 0] * tokens[:, 1]).sum(-1))
    return np.stack(cosines)
