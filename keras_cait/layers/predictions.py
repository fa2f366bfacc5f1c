"""Predictions: the last layer, which knows the names of the classes."""

from collections.abc import Sequence
from typing import Any

import keras

from keras_cait.typing import Shape, Tensor


@keras.saving.register_keras_serializable(package="keras_cait")
class Predictions(keras.layers.Activation):
    """Applies the activation of a classifier, and keeps the names of its classes.

    `y = activation(x)`. The configuration of this layer is where a model, saved or
    rebuilt, keeps its class names; they go with the head that they are for.

    Args:
        activation: Of the logits, such as "softmax"; None for none.
        class_names: Name of each class, in order; None where they are not known.
        **kwargs: `name`, `dtype` and the other `keras.layers.Layer` arguments.

    Input shape: `(batch, classes)`.
    Output shape: `(batch, classes)`.

    Example:
        >>> layer = Predictions("softmax", class_names=("cat", "dog"))
        >>> layer.get_config()["class_names"]
        ('cat', 'dog')

    Reference:
        Keras's `Activation`, https://keras.io/api/layers/core_layers/activation/

    """

    def __init__(
        self,
        activation: Any = None,
        *,
        class_names: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activation, **kwargs)
        self.class_names = None if class_names is None else tuple(class_names)

    def call(self, inputs: Tensor) -> Tensor:
        return self.activation(inputs)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "class_names": self.class_names}
