"""Classifier heads of loaded weights, brought to the classes of a data set."""

import warnings
from collections.abc import Sequence

import keras
import numpy as np

from keras_cait.models.classes.order import outputs_of_classes

_HEADS = ("head", "head_distillation")

HeadWeights = dict[str, list[np.ndarray]]
"""Kernel and bias of each head, by the name of its layer."""


def head_weights(model: keras.Model) -> HeadWeights:
    """The weights of a model's heads."""
    return {
        layer.name: layer.get_weights()
        for layer in model.layers
        if layer.name in _HEADS
    }


def bring_heads_to_classes(
    model: keras.Model,
    start: HeadWeights,
    *,
    class_names: Sequence[str],
    loaded_names: Sequence[str] | None,
) -> None:
    """Puts the outputs of loaded heads in the order of other classes of that number.

    Where a class is none of those that the heads know, they start anew, with a
    warning. Without names the outputs are taken for the classes, in order.

    Args:
        model: The model, with the loaded weights.
        start: What its heads were before.
        class_names: Of its classes, in order.
        loaded_names: Of the classes of the loaded weights; None if not known.

    """
    if loaded_names is None or len(loaded_names) != len(class_names):
        return
    try:
        order = outputs_of_classes(class_names, loaded_names, len(loaded_names))
    except ValueError as error:
        for name, weights in start.items():
            model.get_layer(name).set_weights(weights)
        warnings.warn(
            f"The model has {len(class_names)} classes, as many as the weights, but "
            f"others: {error} Its heads keep their random start and need training.",
            stacklevel=2,
        )
        return
    for name, (kernel, bias) in head_weights(model).items():
        model.get_layer(name).set_weights([kernel[:, order], bias[order]])
