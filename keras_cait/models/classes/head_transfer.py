"""Transfer of loaded classifier heads to the classes of a data set."""

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


def reorder_heads(
    model: keras.Model,
    start: HeadWeights,
    *,
    class_names: Sequence[str],
    loaded_names: Sequence[str] | None,
) -> None:
    """Reorders the outputs of loaded heads, by the names of as many other classes.

    If the loaded heads lack a class, all heads get their weights of `start` back, with
    a warning. Without `loaded_names` nothing changes.
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
