"""Preprocessing and class names that a model holds beside its weights.

The preprocessing is in the configuration of the layer `ImagePreprocessing` behind the
input, and the class names in that of `Predictions` at the head. So saving, loading,
cloning and `keras.Model(model.input, ...)` preserve them, without a model class of our
own.
"""

from collections.abc import Iterator
from typing import Any

import keras

from keras_cait.layers import ImagePreprocessing, Predictions
from keras_cait.preprocessing import Preprocessing


def all_layers(model: keras.Model) -> Iterator[keras.layers.Layer]:
    """All layers of a model, with those of models inside it."""
    for layer in model.layers:
        yield layer
        if isinstance(layer, keras.Model):
            yield from all_layers(layer)


def preprocessing_layer(model: keras.Model) -> ImagePreprocessing | None:
    """The layer that holds a model's `Preprocessing`; None if it has none.

    Of several it is the one that normalizes, such as one in front of a whole model.
    """
    found = [row for row in all_layers(model) if isinstance(row, ImagePreprocessing)]
    return max(found, key=lambda row: row.normalize, default=None)  # the first of them


def stored_preprocessing(model: keras.Model) -> Preprocessing | None:
    """The `Preprocessing` that a model holds, without its size; None if it has none."""
    layer = preprocessing_layer(model)
    return None if layer is None else layer.preprocessing


def stored_class_names(model: keras.Model) -> tuple[str, ...] | None:
    """The class names that a classifier holds; None if it has none."""
    shape = getattr(model, "output_shape", None)
    classes = shape[-1] if isinstance(shape, tuple) and shape else None
    for layer in all_layers(model):
        names: Any = layer.class_names if isinstance(layer, Predictions) else None
        if names is not None and len(names) == classes:
            return names
    return None
