"""ScalarScale: one learned gain for a whole residual branch."""

from typing import Any

import keras

from keras_cait.layers.precision import ResidualLayer
from keras_cait.typing import Shape, Tensor


@keras.saving.register_keras_serializable(package="keras_cait")
class ScalarScale(ResidualLayer):
    """Multiplies a residual branch by one learned number.

    `y = gamma * x`, with `gamma` a scalar. What the published methods do with it
    differs in where it starts: ReZero and SkipInit at 0, so that the branch is
    not there at first; Fixup at 1, behind a last layer that is 0 itself; CaiT's
    own comparison at the small number that LayerScale starts from.

    Args:
        init_value: Starting value of `gamma`, 0 included.
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
