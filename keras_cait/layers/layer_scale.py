"""LayerScale: a learned per-channel gain on a residual branch."""

from typing import Any

import keras

from keras_cait.layers.checks import check_above_zero
from keras_cait.layers.precision import ResidualLayer
from keras_cait.typing import Shape, Tensor


@keras.saving.register_keras_serializable(package="keras_cait")
class LayerScale(ResidualLayer):
    """Multiplies each channel of a residual branch by a learned gain.

    `y = gamma * x`, with `gamma` a vector of length `dim` that starts small so
    that a deep network begins close to the identity.

    Args:
        init_values: Starting value of every entry of `gamma`, above 0. CaiT
            takes 0.1 up to depth 18, 1e-5 at depth 24 and 1e-6 deeper.
        **kwargs: Arguments of `keras.layers.Layer`; `dtype` is float32 by default under
            mixed policies.

    Input shape: `(..., dim)`.
    Output shape: `(..., dim)`.

    Raises:
        ValueError: If `init_values` is not above 0.

    Example:
        >>> import numpy as np
        >>> LayerScale(init_values=0.1)(np.ones((2, 3, 4))).shape == (2, 3, 4)
        True

    Reference:
        Touvron et al., Going deeper with Image Transformers, section 2, eq. 4,
        https://arxiv.org/abs/2103.17239

    """

    def __init__(self, *, init_values: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_above_zero(init_values=init_values)
        self.init_values = init_values

    def build(self, input_shape: Shape) -> None:
        self.gamma = self.add_weight(
            name="gamma",
            shape=(input_shape[-1],),
            initializer=keras.initializers.Constant(self.init_values),
        )

    def call(self, inputs: Tensor) -> Tensor:
        return inputs * self.gamma

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "init_values": self.init_values}
