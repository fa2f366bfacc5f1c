"""PositionEmbedding: a learned vector for the position of each token."""

from typing import Any

import keras

from keras_cait.layers.initializers import weight_initializer
from keras_cait.layers.precision import ResidualLayer
from keras_cait.typing import Shape, Tensor

_GRID_SIZE = "grid_size"  # attribute in a file of weights


@keras.saving.register_keras_serializable(package="keras_cait")
class PositionEmbedding(ResidualLayer):
    """Adds a learned vector to every token of a fixed-size sequence.

    `y[t] = x[t] + position[t]`. The layer stores which of its vectors belong to
    the image grid, for resampling to another image size.

    Args:
        grid_size: Rows and columns of patches, both 1 or more.
        num_prefix_tokens: Number of tokens with a vector in front of the patches: 1
            for DeiT, 2 with a distillation token, 0 for CaiT and DeiT-III, which add
            positions before the class token.
        **kwargs: Arguments of `keras.layers.Layer`; `dtype` is float32 by default under
            mixed policies.

    Input shape: `(batch, num_prefix_tokens + rows * columns, dim)`.
    Output shape: the same.

    Raises:
        ValueError: If the sequence has another length, or an argument is out of
            range.

    Example:
        >>> import numpy as np
        >>> layer = PositionEmbedding(grid_size=(2, 3), num_prefix_tokens=1)
        >>> layer(np.zeros((4, 7, 8))).shape == (4, 7, 8)
        True

    Reference:
        Touvron et al., Training data-efficient image transformers & distillation
        through attention, section 3, https://arxiv.org/abs/2012.12877

    """

    def __init__(
        self,
        *,
        grid_size: tuple[int, int],
        num_prefix_tokens: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if len(grid_size) != 2 or min(grid_size) < 1 or num_prefix_tokens < 0:
            raise ValueError(
                "`grid_size` must be (rows, columns), both 1 or more, and "
                "`num_prefix_tokens` 0 or more. Received: "
                f"grid_size={grid_size}, num_prefix_tokens={num_prefix_tokens}"
            )
        self.grid_size = (grid_size[0], grid_size[1])
        self.num_prefix_tokens = num_prefix_tokens

    def build(self, input_shape: Shape) -> None:
        rows, columns = self.grid_size
        tokens = self.num_prefix_tokens + rows * columns
        if len(input_shape) != 3 or input_shape[1] != tokens:
            raise ValueError(
                f"Expected tokens of shape (batch, {tokens}, dim) for a grid of "
                f"{rows} x {columns} patches and {self.num_prefix_tokens} prefix "
                f"token(s). Received: input_shape={tuple(input_shape)}"
            )
        self.position_embedding = self.add_weight(
            name="position_embedding",
            shape=(1, tokens, input_shape[-1]),
            initializer=weight_initializer(),
        )

    def call(self, inputs: Tensor) -> Tensor:
        return inputs + self.position_embedding

    def save_own_variables(self, store: Any) -> None:
        super().save_own_variables(store)
        attributes = _attributes(store)
        if attributes is not None:
            attributes[_GRID_SIZE] = self.grid_size

    def load_own_variables(self, store: Any) -> None:
        stored = (_attributes(store) or {}).get(_GRID_SIZE, self.grid_size)
        grid = tuple(map(int, stored))  # HDF5 has NumPy's integers
        if grid != self.grid_size:
            raise ValueError(
                "Expected position embeddings of a grid of patches of the size "
                f"{self.grid_size}. Received: those of {grid}. "
                "keras_cait.load_weights resamples them."
            )
        super().load_own_variables(store)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "grid_size": self.grid_size,
            "num_prefix_tokens": self.num_prefix_tokens,
        }


def _attributes(store: Any) -> Any:
    """The attributes of the layer's group in an HDF5 file; None in another store.

    Earlier versions would refuse a file with one more tensor.
    """
    return getattr(getattr(store, "_h5_entry_group", None), "attrs", None)
