"""Layer of one learned gain for a whole residual branch."""

from typing import Any

import keras

from keras_cait.layers.precision import ResidualLayer
from keras_cait.typing import Shape, Tensor


@keras.saving.register_keras_serializable(package="keras_cait")
class ScalarScale(ResidualLayer):
    """Multiplies a residual branch by one learned number.

    `y = gamma * x`, with `gamma` a scalar. Its initial value differs: 0 in ReZero and
    SkipInit, so that the branch has no effect at first; 1 in Fixup, whose last layer
    starts at 0; the small number of LayerScale in CaiT's comparison.

    Args:
        init_value: Initial value of `gamma`; may be 0.
        **kwargs: `name`, `dtype` and the other `keras.layers.Layer` arguments;
            without `dtype` float32 under mixed policies.

    Input shape: `(batch, ...)`.
    Output shape: `(batch, ...)`.

    Example:
        >>> import numpy as np
        >>> branch = ScalarScale(init_value=0.1)(np.ones((2, 3, 4)))
        >>> branch.shape == (2, 3, 4), round(float(branch[0, 0, 0]), 3)
        (True, 0.1)

    Reference:
        Touvron et al., Going deeper with Image Transformers, section 2, eq. 3,
        https://arxiv.org/abs/2103.17239; Bachlechner et al., ReZero is All You
        Need, https://arxiv.org/abs/2003.04887; De and Smith, Batch Normalization
        Biases Residual Blocks, https://arxiv.org/abs/2002.10444 (SkipInit)

    """

    def __init__(self, *, init_value: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.init_value = init_value

    def build(self, input_shape: Shape) -> None:
        self.gamma = self.add_weight(
            name="gamma",
            shape=(),
            initializer=keras.initializers.Constant(self.init_value),
        )

    def call(self, inputs: Tensor) -> Tensor:
        return inputs * self.gamma

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "init_value": self.init_value}
