"""The loss against the labels, on logits: a Keras cross-entropy or the user's own."""

import functools
import inspect
from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from keras_cait.typing import Tensor

ClassLoss = Callable[[Tensor, Tensor], Tensor]
"""(labels, logits) to numbers an example; see `per_example_values`."""


def get_class_loss(identifier: Any) -> ClassLoss:
    """Converts the argument of `compile(loss=...)` to a loss on logits, not reduced.

    `identifier` is None for cross-entropy by the form of the labels; a Keras
    cross-entropy by name, function or object, whose `from_logits` is then set; or a
    function of `(labels, logits)` or a `keras.losses.Loss`, which gets the labels as
    float32, as in Keras. Raises `ValueError` for one of Keras's losses that takes no
    logits, one that is not reduced to the mean, or several losses.
    """
    _check_is_one_loss(identifier)
    if identifier is None or identifier in ("crossentropy", "ce"):
        return cross_entropy
    loss = keras.losses.get(identifier)
    if isinstance(loss, keras.losses.Loss):
        return _FunctionLoss(_unreduced(loss))
    if "from_logits" in inspect.signature(loss).parameters:
        return _FunctionLoss(functools.partial(loss, from_logits=True))
    if loss.__module__.startswith("keras."):
        raise _takes_no_logits(identifier)
    return _FunctionLoss(loss)


def _check_is_one_loss(identifier: Any) -> None:
    several = isinstance(identifier, list | tuple)
    if several or (isinstance(identifier, dict) and "class_name" not in identifier):
        raise ValueError(
            "`loss` must be one loss, that of the labels. Received: "
            f"loss={identifier!r}. The teacher's loss is the argument `distillation` "
            "of Distiller(...), and `alpha` is its weight."
        )


def _unreduced(loss: keras.losses.Loss) -> ClassLoss:
    if loss.reduction not in ("sum_over_batch_size", "mean"):
        raise ValueError(
            "`loss` must be reduced to its mean over the examples, which `alpha` "
            f"weighs. Received: {type(loss).__name__} with "
            f"reduction={loss.reduction!r}. Leave `reduction` out."
        )
    config = loss.get_config()
    if "from_logits" in config:
        return type(loss).from_config({**config, "from_logits": True}).call
    if type(loss).__module__.startswith("keras."):
        raise _takes_no_logits(loss)
    reduces_itself = type(loss).__call__ is not keras.losses.Loss.__call__
    return loss if reduces_itself else loss.call


def _takes_no_logits(identifier: Any) -> ValueError:
    return ValueError(
        "`loss` must be None, a Keras cross-entropy (one with a `from_logits` "
        "argument) or your own function of (labels, logits) that gives one number "
        f"an example. Received: loss={identifier!r}"
    )


class _FunctionLoss(keras.losses.Loss):
    """A function as a Keras loss: with tensors of its number type, not reduced."""

    def __init__(self, function: ClassLoss) -> None:
        super().__init__("class_loss", reduction="none", dtype="float32")
        self.function = function

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return self.function(y_true, y_pred)


def cross_entropy(labels: Tensor, logits: Tensor) -> Tensor:
    """Cross-entropy for integer labels and for one-hot or soft ones."""
    if is_distribution(labels, logits):
        return keras.losses.categorical_crossentropy(labels, logits, from_logits=True)
    labels = ops.reshape(labels, (-1,))
    return keras.losses.sparse_categorical_crossentropy(
        labels, logits, from_logits=True
    )


def is_distribution(labels: Tensor, logits: Tensor) -> bool:
    """Whether each label is a number a class, not the index of a class."""
    return len(labels.shape) == 2 and labels.shape[-1] == logits.shape[-1] > 1


def label_indices(labels: Tensor, logits: Tensor) -> Tensor:
    """The class of each label (of a soft one the likeliest), `(batch,)`."""
    if is_distribution(labels, logits):
        return ops.argmax(labels, axis=-1)
    return ops.cast(ops.reshape(labels, (-1,)), "int32")
