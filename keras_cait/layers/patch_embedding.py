"""PatchEmbedding: the patches of an image as tokens."""

from typing import Any

import keras
from keras import ops

from keras_cait.layers.checks import check_positive
from keras_cait.layers.initializers import patch_initializer
from keras_cait.typing import Shape, Tensor


@keras.saving.register_keras_serializable(package="keras_cait")
class PatchEmbedding(keras.layers.Layer):
    """Cuts an image into square patches and projects each one linearly.

    `token[i] = W @ flatten(patch[i]) + b`, computed as one convolution whose
    stride equals its kernel. Patches are numbered row by row.

    Args:
        patch_size: Side of a patch in pixels, 1 or more.
        embed_dim: Length of a token, 1 or more.
        **kwargs: Arguments of `keras.layers.Layer`.

    Input shape: `(batch, height, width, channels)` with any image data format of Keras.
    Output shape: `(batch, height * width / patch_size**2, embed_dim)`.

    Raises:
        ValueError: If an argument is below 1, the input is not a batch of
            images of known size, or `patch_size` does not divide their sides.

    Example:
        >>> import numpy as np
        >>> layer = PatchEmbedding(patch_size=8, embed_dim=16)
        >>> layer(np.zeros((2, 32, 48, 3))).shape == (2, 24, 16)
        True

    Reference:
        Dosovitskiy et al., An Image is Worth 16x16 Words, section 3.1,
        https://arxiv.org/abs/2010.11929

    """

    def __init__(self, *, patch_size: int, embed_dim: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_positive(patch_size=patch_size, embed_dim=embed_dim)
        self.patch_size = patch_size
        self.embed_dim = embed_dim

    def build(self, input_shape: Shape) -> None:
        self._check(input_shape)
        fan_in = self.patch_size**2 * input_shape[-1]
        self.kernel = self.add_weight(
            name="kernel",
            shape=(self.patch_size, self.patch_size, input_shape[-1], self.embed_dim),
            initializer=patch_initializer(),
        )
        self.bias = self.add_weight(
            name="bias",
            shape=(self.embed_dim,),
            initializer=keras.initializers.RandomUniform(-(fan_in**-0.5), fan_in**-0.5),
        )

    def call(self, inputs: Tensor) -> Tensor:
        self._check(inputs.shape)
        # (batch, height, width, channels) -> (batch, rows, columns, embed_dim)
        grid = ops.conv(
            inputs,
            self.kernel,
            strides=self.patch_size,
            padding="valid",
            data_format="channels_last",
        )
        _, rows, columns, _ = grid.shape
        # -> (batch, tokens, embed_dim)
        tokens = ops.reshape(grid, (-1, rows * columns, self.embed_dim))
        return tokens + self.bias

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        height, width = self._check(input_shape)
        tokens = (height // self.patch_size) * (width // self.patch_size)
        return (input_shape[0], tokens, self.embed_dim)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "patch_size": self.patch_size,
            "embed_dim": self.embed_dim,
        }

    def _check(self, input_shape: Shape) -> tuple[int, int]:
        if len(input_shape) != 4 or None in input_shape[1:]:
            raise ValueError(
                "Expected images of shape (batch, height, width, channels) with a "
                f"known size. Received: input_shape={tuple(input_shape)}"
            )
        height, width = int(input_shape[1] or 0), int(input_shape[2] or 0)
        if height % self.patch_size or width % self.patch_size:
            raise ValueError(
                "`patch_size` must divide the images' height and width. Received: "
                f"input_shape={tuple(input_shape)}, patch_size={self.patch_size}"
            )
        return height, width
