"""The ends of a model: classifier heads and pooled features."""

import keras

from keras_cait.layers.initializers import weight_initializer
from keras_cait.typing import Tensor


def classify(
    tokens: Tensor, classes: int, activation: str | None, *, distilled: bool
) -> Tensor:
    """One linear head a token, their mean, then the activation.

    `(batch, tokens, dim) -> (batch, classes)`. The mean is of logits, as in the
    official code; the paper's text speaks of adding the softmax outputs.
    """
    if classes < 1:
        raise ValueError(f"`classes` must be 1 or more. Received: classes={classes}")
    logits = _head(tokens[:, 0], classes, "head")
    # The last steps stay in full precision under a mixed policy.
    dtype = keras.config.dtype_policy().variable_dtype
    if distilled:
        taught = _head(tokens[:, 1], classes, "head_distillation")
        logits = keras.layers.Average(dtype=dtype, name="mean_logits")([logits, taught])
    return keras.layers.Activation(activation, dtype=dtype, name="predictions")(logits)


def _head(token: Tensor, classes: int, name: str) -> Tensor:
    return keras.layers.Dense(
        classes, kernel_initializer=weight_initializer(), name=name
    )(token)


def pool(tokens: Tensor, pooling: str | None, num_prefix_tokens: int) -> Tensor:
    """Features without a classifier; see `pooling` of the model builders."""
    if pooling is None:
        return tokens
    if pooling == "token":
        # One prefix token, or the mean of class and distillation token.
        prefix = tokens[:, :num_prefix_tokens]
        return keras.layers.GlobalAveragePooling1D(name="token_pool")(prefix)
    if pooling == "avg":
        patches = tokens[:, num_prefix_tokens:]
        return keras.layers.GlobalAveragePooling1D(name="average_pool")(patches)
    raise ValueError(
        f'`pooling` must be None, "token" or "avg". Received: pooling={pooling!r}'
    )
