"""The ends of a model: classifier heads and pooled features."""

from collections.abc import Sequence

import keras

from keras_cait.layers import Predictions
from keras_cait.layers.checks import check_positive
from keras_cait.layers.initializers import weight_initializer
from keras_cait.layers.precision import full_precision
from keras_cait.typing import Tensor


def classify(
    tokens: Tensor,
    classes: int,
    activation: str | None,
    *,
    distilled: bool,
    class_names: Sequence[str] | None = None,
) -> Tensor:
    """One linear head a token, their mean, then the activation.

    `(batch, tokens, dim) -> (batch, classes)`. The mean is of logits, as in the
    official code; the paper's text speaks of adding the softmax outputs.
    """
    logits = linear_head(tokens[:, 0], classes)
    if distilled:
        taught = linear_head(tokens[:, 1], classes, name="head_distillation")
        mean = keras.layers.Average(dtype=full_precision(), name="mean_logits")
        logits = mean([logits, taught])
    return predictions(logits, activation, class_names)


def linear_head(
    features: Tensor,
    classes: int,
    *,
    initializer: keras.Initializer | None = None,
    name: str = "head",
) -> Tensor:
    """Logits of one vector an image, `(batch, dim) -> (batch, classes)`."""
    check_positive(classes=classes)
    return keras.layers.Dense(
        int(classes),  # Keras takes no integers of NumPy
        kernel_initializer=initializer or weight_initializer(),
        dtype=full_precision(),
        name=name,
    )(features)


def predictions(
    logits: Tensor,
    activation: str | None,
    class_names: Sequence[str] | None = None,
) -> Tensor:
    """The model's output: the activation of its logits, and a record of the classes."""
    return Predictions(
        activation,
        class_names=class_names,
        dtype=full_precision(),
        name="predictions",
    )(logits)


def pool(tokens: Tensor, pooling: str | None, num_prefix_tokens: int) -> Tensor:
    """Features without a classifier; see `pooling` of the model builders."""
    if pooling is None:
        return tokens
    if pooling == "token":
        # One prefix token, or the mean of class and distillation token.
        prefix = tokens[:, :num_prefix_tokens]
        return keras.layers.GlobalAveragePooling1D(
            dtype=full_precision(), name="token_pool"
        )(prefix)
    if pooling == "avg":
        patches = tokens[:, num_prefix_tokens:]
        return keras.layers.GlobalAveragePooling1D(
            dtype=full_precision(), name="average_pool"
        )(patches)
    raise ValueError(
        f'`pooling` must be None, "token" or "avg". Received: pooling={pooling!r}'
    )


def pool_map(features: Tensor, pooling: str | None) -> Tensor:
    """A convnet's feature map `(batch, rows, columns, dim)`, or one vector of it."""
    if pooling is None:
        return features
    layers = {
        "avg": keras.layers.GlobalAveragePooling2D,
        "max": keras.layers.GlobalMaxPooling2D,
    }
    if pooling not in layers:
        raise ValueError(
            f'`pooling` must be None, "avg" or "max". Received: pooling={pooling!r}'
        )
    return layers[pooling](data_format="channels_last", name=f"{pooling}_pool")(
        features
    )
