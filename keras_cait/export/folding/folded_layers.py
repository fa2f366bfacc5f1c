"""Layers of folded models, for inference: no dropout, no gain, few operators."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from keras_cait.layers.feed_forward import gelu
from keras_cait.typing import Shape, Tensor


class Linear(keras.layers.Dense):
    """A linear layer of `(rows, dim)` or `(batch, tokens, dim)`."""

    def call(self, inputs: Tensor) -> Tensor:
        if len(inputs.shape) == 2:
            return super().call(inputs)
        # TFLite flattens the batch axis of `ops.matmul`; einsum keeps it.
        return ops.einsum("bti,io->bto", inputs, self.kernel) + self.bias


def is_one_image(shape: Shape) -> bool:
    """Whether a model is built for a batch of one image, as those for TFLite are."""
    return shape[0] == 1


def apply_to_tokens(
    function: Callable[[Tensor], Tensor], tokens: Tensor, *, one_image: bool
) -> Tensor:
    """Applies a function of `(..., dim)` to every token.

    TensorFlow and onnxruntime fuse products, biases and GELU of matrices, so the tokens
    of a batch become rows of one matrix. Mobile runtimes, with one image, fuse anyway,
    and their accelerators need the batch axis.
    """
    if one_image:
        return function(tokens)
    _, length, dim = tokens.shape
    outputs = function(ops.reshape(tokens, (-1, dim)))
    return ops.reshape(outputs, (-1, length, outputs.shape[-1]))


@keras.saving.register_keras_serializable(package="keras_cait")
class FoldedPatches(keras.layers.Layer):
    """Linear map of square patches without bias: `token[i] = W @ patch[i]`.

    `(batch, height, width, channels)` to `(batch, patches, embed_dim)`.
    """

    def __init__(self, *, patch_size: int, embed_dim: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.patch_size = patch_size
        self.embed_dim = embed_dim

    def build(self, input_shape: Shape) -> None:
        size = self.patch_size
        self.kernel = self.add_weight(
            name="kernel", shape=(size, size, input_shape[-1], self.embed_dim)
        )

    def call(self, inputs: Tensor) -> Tensor:
        grid = ops.conv(
            inputs,
            self.kernel,
            strides=self.patch_size,
            padding="valid",
            data_format="channels_last",
        )
        _, height, width, _ = grid.shape
        return ops.reshape(grid, (-1, height * width, self.embed_dim))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        batch, height, width, _ = input_shape
        patches = (height // self.patch_size) * (width // self.patch_size)
        return (batch, patches, self.embed_dim)

    def get_config(self) -> dict[str, Any]:
        sizes = {"patch_size": self.patch_size, "embed_dim": self.embed_dim}
        return {**super().get_config(), **sizes}


@keras.saving.register_keras_serializable(package="keras_cait")
class FoldedTokens(keras.layers.Layer):
    """Inserts learned tokens and adds bias and positions in one addition.

    `y = pad(x) + constant`, with zeros at the `prefix` learned tokens, so that no
    operator depends on the batch size. `(batch, tokens, dim)` to
    `(batch, prefix + tokens, dim)`.
    """

    def __init__(self, *, prefix: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.prefix = prefix

    def build(self, input_shape: Shape) -> None:
        shape = (1, self.prefix + input_shape[1], input_shape[2])
        self.constant = self.add_weight(name="constant", shape=shape)

    def call(self, inputs: Tensor) -> Tensor:
        if self.prefix:
            inputs = ops.pad(inputs, ((0, 0), (self.prefix, 0), (0, 0)))
        return inputs + self.constant

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        batch, tokens, dim = input_shape
        return (batch, self.prefix + tokens, dim)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "prefix": self.prefix}


@keras.saving.register_keras_serializable(package="keras_cait")
class FoldedNorm(keras.layers.Layer):
    """Layer normalization of tokens whose mean over the channels is 0.

    `y = x / sqrt(mean(x**2) + epsilon)` over the channels, `(..., dim)`.
    """

    def __init__(self, *, epsilon: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.epsilon = epsilon

    def call(self, inputs: Tensor) -> Tensor:
        variance = ops.mean(ops.square(inputs), axis=-1, keepdims=True)
        return inputs / ops.sqrt(variance + self.epsilon)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "epsilon": self.epsilon}


@keras.saving.register_keras_serializable(package="keras_cait")
class FoldedFeedForward(keras.layers.Layer):
    """`y = W2 @ gelu(W1 @ x + b1) + b2`, the same for every token."""

    def __init__(self, *, hidden_dim: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.hidden_dim = hidden_dim

    def build(self, input_shape: Shape) -> None:
        self.one_image = is_one_image(input_shape)
        dim = input_shape[-1]
        self.fc1 = Linear(self.hidden_dim, dtype=self.dtype_policy, name="fc1")
        self.fc1.build((None, dim))
        self.fc2 = Linear(dim, dtype=self.dtype_policy, name="fc2")
        self.fc2.build((None, self.hidden_dim))

    def call(self, inputs: Tensor) -> Tensor:
        return apply_to_tokens(
            lambda x: self.fc2(gelu(self.fc1(x))), inputs, one_image=self.one_image
        )

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "hidden_dim": self.hidden_dim}
