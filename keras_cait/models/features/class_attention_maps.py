"""Attention of the class token to the patches, as one tensor of all blocks."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_cait.typing import Shape, Tensor


@keras.saving.register_keras_serializable(package="keras_cait")
class ClassAttentionMaps(keras.layers.Layer):
    """Rows of the class token in the attention scores of several blocks, as maps.

    The first row of each head, without the columns of the class and distillation token;
    those of block `i` and head `j` are map `i * heads + j`.

    Args:
        grid_size: Rows and columns of patches.
        **kwargs: Arguments of `keras.layers.Layer`.

    Input shape: for each block `(batch, heads, queries, prefix + patches)`.
    Output shape: `(batch, blocks * heads, rows, columns)`.

    Example:
        >>> import numpy as np
        >>> scores = np.ones((2, 3, 1, 7))  # of 3 heads, a class token and 6 patches
        >>> ClassAttentionMaps(grid_size=(2, 3))([scores, scores]).shape == (2, 6, 2, 3)
        True

    Reference:
        Touvron et al., Going deeper with Image Transformers, section 5.5,
        https://arxiv.org/abs/2103.17239

    """

    def __init__(self, *, grid_size: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.grid_size = tuple(grid_size)

    def build(self, input_shape: Sequence[Shape]) -> None:
        """Has no weights."""

    def call(self, inputs: Sequence[Tensor]) -> Tensor:
        rows, columns = self.grid_size
        first = [
            scores[:, :, :1, scores.shape[-1] - rows * columns :] for scores in inputs
        ]
        maps = ops.concatenate(first, axis=1)  # (batch, maps, 1, patches)
        return ops.reshape(maps, (-1, maps.shape[1], rows, columns))

    def compute_output_shape(self, input_shape: Sequence[Shape]) -> Shape:
        maps = sum(heads or 0 for _, heads, *_ in input_shape)
        return (input_shape[0][0], maps, *self.grid_size)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "grid_size": self.grid_size}
