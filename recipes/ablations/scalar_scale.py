"""Layer of one learned gain for a whole residual branch."""

from typing import Any

import keras

from keras_cait.layers.precision import ResidualLayer
from keras_cait.typing import Shape, Tensor


@keras.saving.register_keras_serializable(package="keras_cait")
class ScalarScale(ResidualLayer):
    """Multiplies a residual branch by one learned number: `y = gamma * x`.

    The initial value of `gamma` is 0 in ReZero (https://arxiv.org/abs/2003.04887) and
    SkipInit (https://arxiv.org/abs/2002.10444), so that the branch has no effect at
    first; 1 in Fixup, whose last layer starts at 0; the small number of LayerScale in
    CaiT's comparison (https://arxiv.org/abs/2103.17239, section 2, eq. 3).
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
