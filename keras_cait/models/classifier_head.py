"""Classifier heads and pooled features: the end of every model."""

from collections.abc import Sequence

import keras

from keras_cait.layers import Predictions
from keras_cait.layers.checks import check_positive
from keras_cait.layers.initializers import weight_initializer
from keras_cait.layers.precision import full_precision
from keras_cait.models.arguments import ModelArguments
from keras_cait.typing import Tensor


def classify_or_pool(
    tokens: Tensor, arguments: ModelArguments, *, distilled: bool
) -> Tensor:
    """Predictions of a transformer with top, and pooled features of one without.

    One linear head a token, the mean of their logits, then the activation:
    `(batch, tokens, dim) -> (batch, classes)`. The mean is of logits, as in the
    official code; the paper's text speaks of adding the softmax outputs.
    """
    if not arguments.include_top:
        return pool(tokens, arguments.pooling, 2 if distilled else 1)
    logits = linear_head(tokens[:, 0], arguments.classes)
    if distilled:
        distillation_logits = linear_head(
            tokens[:, 1], arguments.classes, name="head_distillation"
        )
        mean = keras.layers.Average(dtype=full_precision(), name="mean_logits")
        logits = mean([logits, distillation_logits])
    return predictions(logits, arguments.classifier_activation, arguments.class_names)


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
    """Applies the activation to the logits, in a layer that stores the class names."""
    return Predictions(
        activation,
        class_names=class_names,
        dtype=full_precision(),
        name="predictions",
    )(logits)


def pool(tokens: Tensor, pooling: str | None, num_prefix_tokens: int) -> Tensor:
    """Features of a transformer without top; see `ModelArguments.pooling`."""
    if pooling is None:
        return tokens
    if pooling == "token":
        name, pooled = "token_pool", tokens[:, :num_prefix_tokens]
    elif pooling == "avg":
        name, pooled = "average_pool", tokens[:, num_prefix_tokens:]
    else:
        raise ValueError(
            f'`pooling` must be None, "token" or "avg". Received: pooling={pooling!r}'
        )
    return keras.layers.GlobalAveragePooling1D(dtype=full_precision(), name=name)(
        pooled
    )


def pool_map(features: Tensor, pooling: str | None) -> Tensor:
    """Features of a convnet without top; see `ModelArguments.pooling`."""
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
    layer = layers[pooling](data_format="channels_last", name=f"{pooling}_pool")
    return layer(features)
