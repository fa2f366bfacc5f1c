"""SGD with Nesterov momentum, with which the papers fine-tune."""

from typing import Any

import keras

from keras_cait.training.optimizers.accumulation import Accumulation
from keras_cait.training.optimizers.moving_average import MovingAverage
from keras_cait.training.optimizers.weight_decay import SelectiveDecay
from keras_cait.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_cait")
class SGD(SelectiveDecay, MovingAverage, Accumulation, keras.optimizers.SGD):
    """SGD with Nesterov momentum and weight decay as in torch.

    Weight decay is part of the gradient, `gradient + weight_decay * weight`. A
    momentum of 0.9 makes it ten times as strong as the decay in Keras, which is
    subtracted separately.

    Args:
        learning_rate: Learning rate, or a schedule.
        weight_decay: Part of each weight that is added to its gradient.
        momentum: Part of the velocity that remains after a step, in [0, 1].
        nesterov: Whether to use Nesterov momentum.
        **kwargs: `undecayed` of `SelectiveDecay`, and the other arguments of
            `keras.optimizers.SGD`.

    Example:
        >>> weight = keras.Variable([[1.0]], name="kernel")
        >>> optimizer = SGD(learning_rate=0.1, weight_decay=1.0, momentum=0.0)
        >>> optimizer.apply([keras.ops.ones((1, 1))], [weight])
        >>> round(float(weight.value[0, 0]), 3)
        0.8

    """

    def __init__(
        self,
        learning_rate: Any = 0.01,
        weight_decay: float = 1e-4,
        *,
        momentum: float = 0.9,
        nesterov: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            learning_rate,
            momentum=momentum,
            nesterov=nesterov,
            weight_decay=weight_decay,
            **kwargs,
        )

    def _apply_weight_decay(self, variables: list[keras.Variable]) -> None:
        """Does nothing: `update_step` adds the decay to the gradient."""

    def update_step(
        self, gradient: Tensor, variable: Tensor, learning_rate: Tensor
    ) -> None:
        if self.weight_decay and self._use_weight_decay(variable):
            gradient = gradient + self.weight_decay * variable
        super().update_step(gradient, variable, learning_rate)
