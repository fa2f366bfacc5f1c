"""LAMB, with which DeiT-III is trained."""

from typing import Any

import keras
from keras import ops

from keras_cait.training.optimizers.accumulation import Accumulation
from keras_cait.training.optimizers.adamw import adam_update
from keras_cait.training.optimizers.moving_average import MovingAverage
from keras_cait.training.optimizers.weight_decay import SelectiveDecay
from keras_cait.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_cait")
class Lamb(SelectiveDecay, MovingAverage, Accumulation, keras.optimizers.Lamb):
    """LAMB: Adam with a step in proportion to the norm of the weight.

    `u = m / (sqrt(v) + epsilon) + weight_decay * w`, with bias-corrected `m` and
    `v`, then `w -= learning_rate * (|w| / |u|) * u`. Keras subtracts the decay
    outside of `u`, and also scales the step of variables that do not decay by that
    ratio. Here these take Adam's step, as in FusedLAMB, DeiT-III's optimizer.
    FusedLAMB also clips the norm of all gradients together at 1:
    `global_clipnorm=1.0`.

    Args:
        learning_rate: Learning rate, or a schedule.
        weight_decay: Part of each weight that is added to `u`.
        epsilon: Added to the root of the second moment; 1e-8 as in DeiT-III.
        **kwargs: `undecayed` of `SelectiveDecay`, and the other arguments of
            `keras.optimizers.Lamb`.

    Example:
        >>> import numpy as np
        >>> weight = keras.Variable([[3.0, 4.0]], name="kernel")
        >>> Lamb(0.1).apply([keras.ops.ones((1, 2))], [weight])
        >>> step = np.subtract([[3.0, 4.0]], keras.ops.convert_to_numpy(weight.value))
        >>> float(np.linalg.norm(step).round(4))  # a tenth of the weight's norm
        0.5

    Reference:
        You et al., Large Batch Optimization for Deep Learning: Training BERT in 76
        minutes, algorithm 2, https://arxiv.org/abs/1904.00962; Touvron et al., DeiT
        III: Revenge of the ViT, https://arxiv.org/abs/2204.07118

    """

    def __init__(
        self,
        learning_rate: Any = 3e-3,
        weight_decay: float = 0.05,
        *,
        epsilon: float = 1e-8,
        **kwargs: Any,
    ) -> None:
        decay = {"weight_decay": weight_decay}
        super().__init__(learning_rate, epsilon=epsilon, **decay, **kwargs)

    def _apply_weight_decay(self, variables: list[keras.Variable]) -> None:
        """Does nothing: `update_step` adds the decay to the update."""

    def update_step(
        self, gradient: Tensor, variable: Tensor, learning_rate: Tensor
    ) -> None:
        update = adam_update(self, gradient, variable)
        if self.weight_decay and self._use_weight_decay(variable):
            update += self.weight_decay * variable
            update *= _trust_ratio(variable, update)
        self.assign_sub(variable, ops.cast(learning_rate, variable.dtype) * update)


def _trust_ratio(weight: Tensor, update: Tensor) -> Tensor:
    """`|weight| / |update|`; 1 where one of them is 0."""
    weight_norm, norm = (ops.sqrt(ops.sum(ops.square(x))) for x in (weight, update))
    both = ops.logical_and(weight_norm > 0, norm > 0)
    return ops.where(both, weight_norm / ops.where(both, norm, 1.0), 1.0)
