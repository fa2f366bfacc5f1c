"""The precision of the residual stream, and of what is added to it."""

from typing import Any

import keras
from keras import ops

from keras_cait.typing import Tensor


def full_precision() -> str:
    """Returns the dtype of the residual stream: that of the weights.

    It is float32 under the mixed policies of Keras, and the policy's own dtype under
    any other. Half precision would lose what a small branch adds: a bfloat16 number
    has 8 significant bits, so that `x + y` is `x` wherever `y` is below `x / 512`.

    Example:
        >>> keras.config.set_dtype_policy("mixed_bfloat16")
        >>> full_precision()
        'float32'
        >>> keras.config.set_dtype_policy("float32")

    """
    return keras.config.dtype_policy().variable_dtype


class ResidualLayer(keras.layers.Layer):
    """Base of the layers that act on the residual stream or at the end of a branch.

    Their `dtype` is `full_precision()` by default, where other layers take the
    global policy as it is. A `dtype` that is given is followed, a mixed one too.
    """

    def __init__(self, **kwargs: Any) -> None:
        if kwargs.get("dtype") is None:
            kwargs["dtype"] = full_precision()
        super().__init__(**kwargs)


def project_to_stream(layer: keras.layers.Dense, inputs: Tensor) -> Tensor:
    """Applies the last linear layer of a branch; the result has the stream's dtype.

    Under a mixed policy the product is computed in half precision and the bias is
    added in float32. A bias that is added in half would round a second time, which
    torch's linear layers do not.

    Args:
        layer: A linear layer with a bias and without an activation.
        inputs: `(..., dim)`.

    """
    policy = layer.dtype_policy
    wide = policy.variable_dtype
    if policy.compute_dtype == wide or policy.quantization_mode is not None:
        return ops.cast(layer(inputs), wide)
    product = ops.matmul(ops.cast(inputs, policy.compute_dtype), layer.kernel)
    return ops.cast(product, wide) + ops.cast(layer.bias, wide)
