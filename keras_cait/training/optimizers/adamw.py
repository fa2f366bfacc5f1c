"""AdamW as in the papers, and the Adam update that it shares with LAMB."""

import math
from typing import Any

import keras
from keras import ops

from keras_cait.training.optimizers.accumulation import Accumulation
from keras_cait.training.optimizers.moving_average import MovingAverage
from keras_cait.training.optimizers.weight_decay import SelectiveDecay
from keras_cait.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_cait")
class AdamW(SelectiveDecay, MovingAverage, Accumulation, keras.optimizers.AdamW):
    """AdamW with torch's epsilon and the papers' choice of variables that decay.

    `w -= learning_rate * weight_decay * w`, then
    `w -= learning_rate * m / (sqrt(v) + epsilon)`, with bias-corrected `m` and `v`.
    Keras adds `epsilon` before that correction, where it weighs 31.6 times as much
    in step 1: too much for gradients near 1e-9, such as those inside a block whose
    LayerScale starts at 1e-5.

    Args:
        learning_rate: Learning rate, or a schedule.
        weight_decay: Part of each weight subtracted a step, times the rate.
        epsilon: Added to the root of the corrected second moment; 1e-8 as in
            `torch.optim.AdamW`.
        **kwargs: `undecayed` of `SelectiveDecay`, and the other arguments of
            `keras.optimizers.AdamW`.

    Example:
        >>> optimizer = AdamW(learning_rate=1e-3)
        >>> AdamW.from_config(optimizer.get_config()).undecayed == optimizer.undecayed
        True

    Reference:
        Loshchilov and Hutter, Decoupled Weight Decay Regularization,
        https://arxiv.org/abs/1711.05101; settings as in Touvron et al., Training
        data-efficient image transformers & distillation through attention, table
        9, https://arxiv.org/abs/2012.12877

    """

    def __init__(
        self,
        learning_rate: Any = 1e-3,
        weight_decay: float = 0.05,
        *,
        epsilon: float = 1e-8,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, weight_decay, epsilon=epsilon, **kwargs)

    def update_step(
        self, gradient: Tensor, variable: Tensor, learning_rate: Tensor
    ) -> None:
        update = adam_update(self, gradient, variable)
        self.assign_sub(variable, ops.cast(learning_rate, variable.dtype) * update)


def adam_update(optimizer: Any, gradient: Tensor, variable: Tensor) -> Tensor:
    """Updates both moments; returns Adam's step at rate 1, `epsilon` added last."""
    index = optimizer._get_variable_index(variable)
    m, v = optimizer._momentums[index], optimizer._velocities[index]
    gradient = ops.cast(gradient, variable.dtype)
    optimizer.assign_add(m, (1 - optimizer.beta_1) * (gradient - m))
    optimizer.assign_add(v, (1 - optimizer.beta_2) * (ops.square(gradient) - v))
    if getattr(optimizer, "amsgrad", False):
        largest = optimizer._velocity_hats[index]
        optimizer.assign(largest, ops.maximum(largest, v))
        v = largest
    step = ops.cast(optimizer.iterations + 1, "float32")
    mean = m / ops.cast(_correction(optimizer.beta_1, step), variable.dtype)
    variance = v / ops.cast(_correction(optimizer.beta_2, step), variable.dtype)
    return mean / (ops.sqrt(variance) + optimizer.epsilon)


def _correction(beta: float, step: Tensor) -> Tensor:
    """`1 - beta ** step`, also where single precision rounds the power to near 1."""
    return -ops.expm1(step * (math.log(beta) if beta else -math.inf))
