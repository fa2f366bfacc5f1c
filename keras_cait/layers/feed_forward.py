"""FeedForward: the two-layer perceptron of a transformer block."""

import math
from typing import Any

import keras
from keras import ops

from keras_cait.layers.checks import check_positive, check_rates, check_recompute
from keras_cait.layers.initializers import weight_initializer
from keras_cait.layers.precision import float32_or_wider, project_to_stream
from keras_cait.typing import Shape, Tensor


def gelu(inputs: Tensor) -> Tensor:
    """Exact GELU, `x / 2 * (1 + erf(x / sqrt(2)))`, element by element.

    Written with `erf` because TensorFlow's own exact GELU becomes an `Erfc` node,
    which ONNX lacks; TFLite still fuses this form into one operator.

    Example:
        >>> round(float(gelu(keras.ops.convert_to_tensor(1.0))), 4)
        0.8413

    """
    # For negative inputs `1 + erf` cancels: in bfloat16 GELU(-2) is wrong by up to 4 %.
    wide = ops.cast(inputs, float32_or_wider(inputs.dtype))
    outputs = 0.5 * wide * (1.0 + ops.erf(wide * math.sqrt(0.5)))
    return ops.cast(outputs, inputs.dtype)


@keras.saving.register_keras_serializable(package="keras_cait")
class FeedForward(keras.layers.Layer):
    """Widens each token, applies exact GELU and projects back.

    `y = W2 @ gelu(W1 @ x + b1) + b2`, the same for every token.

    Args:
        hidden_dim: Width between the two projections, 1 or more; the papers
            take four times `dim`.
        dropout_rate: Dropout after each projection, in [0, 1).
        recompute: As of `SelfAttention`.
        **kwargs: As of `SelfAttention`.

    Call arguments:
        inputs: Tokens.
        training: Whether dropout is active.

    Input shape: `(..., dim)`.
    Output shape: `(..., dim)`.

    Raises:
        ValueError: If `hidden_dim` is below 1 or `dropout_rate` outside [0, 1).

    Example:
        >>> import numpy as np
        >>> FeedForward(hidden_dim=16)(np.zeros((2, 3, 4))).shape == (2, 3, 4)
        True

    Reference:
        Touvron et al., Training data-efficient image transformers & distillation
        through attention, section 3, https://arxiv.org/abs/2012.12877

    """

    def __init__(
        self,
        *,
        hidden_dim: int,
        dropout_rate: float = 0.0,
        recompute: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_positive(hidden_dim=hidden_dim)
        check_rates(dropout_rate=dropout_rate)
        check_recompute(recompute, dropout_rate=dropout_rate)
        self.hidden_dim = hidden_dim
        self.dropout_rate = dropout_rate
        self.recompute = recompute
        self.fc1 = keras.layers.Dense(
            hidden_dim,
            kernel_initializer=weight_initializer(),
            dtype=self.dtype_policy,
            name="fc1",
        )
        # No cast of the input: it acts on the hidden layer and on the output.
        self.dropout = keras.layers.Dropout(
            dropout_rate, dtype=self.dtype_policy, autocast=False
        )

    def build(self, input_shape: Shape) -> None:
        self.fc1.build(input_shape)
        self.fc2 = keras.layers.Dense(
            input_shape[-1],
            kernel_initializer=weight_initializer(),
            dtype=self.dtype_policy,
            name="fc2",
        )
        self.fc2.build((*input_shape[:-1], self.hidden_dim))

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        # -> (rows, dim): TensorFlow fuses bias and GELU with products of matrices alone
        # (batch 1: 0.75 ms instead of 0.94, widths 192 and 768).
        rows = ops.reshape(inputs, (-1, inputs.shape[-1]))
        if training and self.recompute:
            rows = keras.remat(
                lambda x: project_to_stream(self.fc2, gelu(self.fc1(x)))
            )(rows)
        else:
            hidden = self.dropout(gelu(self.fc1(rows)), training=training)
            rows = project_to_stream(self.fc2, hidden)
            rows = self.dropout(rows, training=training)
        return ops.reshape(rows, (-1, *ops.shape(inputs)[1:]))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def compute_output_spec(self, inputs: Tensor, training: bool = False) -> Tensor:
        return keras.KerasTensor(inputs.shape, self.variable_dtype)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "hidden_dim": self.hidden_dim,
            "dropout_rate": self.dropout_rate,
            "recompute": self.recompute,
        }
