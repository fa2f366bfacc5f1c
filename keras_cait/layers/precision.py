"""Precision of the residual stream and of its branches."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
from keras import ops

from keras_cait.typing import Shape, Tensor


def full_precision() -> str:
    """Returns the dtype of the residual stream: that of the weights.

    It is float32 under the mixed policies of Keras, and the policy's own dtype under
    any other. Half precision would lose the sum with a small branch: a bfloat16 number
    has 8 significant bits, so that `x + y` is `x` wherever `y` is below `x / 512`.

    Example:
        >>> keras.config.set_dtype_policy("mixed_bfloat16")
        >>> full_precision()
        'float32'
        >>> keras.config.set_dtype_policy("float32")

    """
    return keras.config.dtype_policy().variable_dtype


def float32_or_wider(dtype: Any) -> str:
    """Returns the dtype for what half precision is too coarse for.

    Keras's promotion of types makes float32 of float64 on JAX.

    Example:
        >>> float32_or_wider("bfloat16"), float32_or_wider("float64")
        ('float32', 'float64')

    """
    name = keras.backend.standardize_dtype(dtype)
    return "float32" if name in ("bfloat16", "float16") else name


@contextmanager
def dtype_policy_scope(policy: str | keras.DTypePolicy) -> Iterator[None]:
    """Sets Keras's global dtype policy, and restores the earlier one at the end."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


class ResidualLayer(keras.layers.Layer):
    """Base of the layers that act on the residual stream or at the end of a branch.

    Their `dtype` is `full_precision()` by default, and the global policy that of
    other layers.
    """

    def __init__(self, **kwargs: Any) -> None:
        if kwargs.get("dtype") is None:
            kwargs["dtype"] = full_precision()
        super().__init__(**kwargs)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape


def project_to_stream(layer: keras.layers.Dense, inputs: Tensor) -> Tensor:
    """Applies the last linear layer of a branch; the result has the stream's dtype.

    Under a mixed policy the product is computed in half precision and the bias added
    in float32. A bias added in half precision would round a second time, which torch's
    linear layers do not.
    """
    policy = layer.dtype_policy
    wide = policy.variable_dtype
    if policy.compute_dtype == wide or policy.quantization_mode is not None:
        return ops.cast(layer(inputs), wide)
    product = ops.matmul(ops.cast(inputs, policy.compute_dtype), layer.kernel)
    return ops.cast(product, wide) + ops.cast(layer.bias, wide)
