"""The loss against the labels: whatever the user compiles with, on logits."""

import functools
import inspect
from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from keras_cait.typing import Tensor

ClassLoss = Callable[[Tensor, Tensor], Tensor]
"""(labels, logits) to one number an example, `(batch,)`."""


def get_class_loss(identifier: Any) -> ClassLoss:
    """Turns what `compile(loss=...)` takes into a loss on logits, by example.

    Args:
        identifier: None for cross-entropy by the form of the labels; a Keras
            cross-entropy by name, function or object, whose `from_logits` is
            then set, because logits are what it gets; or a function of
            `(labels, logits)` that gives one number an example.

    Returns:
        A function of `(labels, logits)` to `(batch,)`.

    Raises:
        ValueError: If it is one of Keras's losses that takes no logits.

    Example:
        >>> import numpy as np
        >>> loss = get_class_loss("sparse_categorical_crossentropy")
        >>> round(float(loss(np.array([1]), np.array([[0., 0.]]))[0]), 4)
        0.6931

    """
    if identifier is None:
        return cross_entropy
    loss = keras.losses.get(identifier)
    if isinstance(loss, keras.losses.Loss):
        config = loss.get_config()
        if "from_logits" in config:
            return type(loss).from_config({**config, "from_logits": True}).call
        if not type(loss).__module__.startswith("keras."):
            return loss.call
    elif "from_logits" in inspect.signature(loss).parameters:
        return functools.partial(loss, from_logits=True)
    elif not loss.__module__.startswith("keras."):
        return loss
    raise ValueError(
        "`loss` must be None, a Keras cross-entropy (one with a `from_logits` "
        "argument) or your own function of (labels, logits) that gives one number "
        f"an example. Received: loss={identifier!r}"
    )


def cross_entropy(labels: Tensor, logits: Tensor) -> Tensor:
    """Cross-entropy for integer labels and for one-hot or soft ones."""
    if is_distribution(labels, logits):
        return keras.losses.categorical_crossentropy(labels, logits, from_logits=True)
    labels = ops.reshape(labels, (-1,))
    return keras.losses.sparse_categorical_crossentropy(
        labels, logits, from_logits=True
    )


def is_distribution(labels: Tensor, logits: Tensor) -> bool:
    """Whether labels give a number a class, not the index of one."""
    return len(labels.shape) == 2 and labels.shape[-1] == logits.shape[-1] > 1


def label_indices(labels: Tensor, logits: Tensor) -> Tensor:
    """The class that each label means (for soft ones the likeliest), `(batch,)`."""
    if is_distribution(labels, logits):
        return ops.argmax(labels, axis=-1)
    return ops.cast(ops.reshape(labels, (-1,)), "int32")
