"""Predictions: the last layer, which stores the names of the classes."""

from collections.abc import Sequence
from typing import Any

import keras

from keras_cait.typing import Shape, Tensor


@keras.saving.register_keras_serializable(package="keras_cait")
class Predictions(keras.layers.Activation):
    """Applies the activation of a classifier, and stores the names of its classes.

    `y = activation(x)`. The configuration of this layer holds the class names of a
    model, saved or rebuilt; they stay with their head.

    Args:
        activation: Activation of the logits, such as "softmax"; None for logits.
        class_names: Names of the classes, in order; None if they are unknown.
        **kwargs: Arguments of `keras.layers.Layer`.

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
