"""The optimizers of the papers, from Keras's own parts."""

import math
from collections.abc import Callable, Iterable
from typing import Any

import keras
from keras import ops

from keras_cait.training.optimizers.accumulation import Accumulation
from keras_cait.training.optimizers.moving_average import MovingAverage
from keras_cait.training.optimizers.weight_decay import UNDECAYED, SelectiveDecay
from keras_cait.typing import Tensor


def build_optimizer(
    name: str,
    learning_rate: Any,
    *,
    weight_decay: float = 0.05,
    clip_norm: float | None = None,
    accumulation_steps: int = 1,
    ema_momentum: float | None = None,
    decay_distillation_token: bool = True,
) -> keras.optimizers.Optimizer:
    """The optimizer that a recipe names, with the papers' settings.

    Args:
        name: "adamw", "lamb" or "sgd".
        learning_rate: A rate a step, or a schedule of them.
        weight_decay: Part of each weight taken off a step, times the rate.
        clip_norm: Largest norm of all gradients together; None for any.
        accumulation_steps: Batches that make one step, with their mean gradient.
        ema_momentum: Decay of the average of the weights a step, such as DeiT's
            0.99996; None for no average. See `ema_weights`.
        decay_distillation_token: Whether the distillation token decays, as in the
            official code; in timm it does not.

    Raises:
        ValueError: If an argument is out of its range.

    Example:
        >>> optimizer = build_optimizer("lamb", 3e-3, clip_norm=1.0)
        >>> optimizer.name, optimizer.weight_decay
        ('lamb', 0.05)

    Reference:
        Touvron et al., Training data-efficient image transformers & distillation
        through attention, table 9, https://arxiv.org/abs/2012.12877

    """
    kinds: dict[str, Callable[..., Any]] = {"adamw": AdamW, "lamb": Lamb, "sgd": SGD}
    if name not in kinds:
        raise ValueError(f"`name` must be one of {sorted(kinds)}. Received: {name!r}")
    if clip_norm is not None and not clip_norm > 0:
        raise ValueError(
            f"`clip_norm` must be above 0, or None. Received: clip_norm={clip_norm}"
        )
    if accumulation_steps < 1:
        raise ValueError(
            "`accumulation_steps` must be 1 or more. "
            f"Received: accumulation_steps={accumulation_steps}"
        )
    if ema_momentum is not None and not 0 <= ema_momentum < 1:
        raise ValueError(
            "`ema_momentum` must be in [0, 1), or None. "
            f"Received: ema_momentum={ema_momentum}"
        )
    token = () if decay_distillation_token else ("distillation_token",)
    average = {} if ema_momentum is None else {"ema_momentum": ema_momentum}
    return kinds[name](
        learning_rate,
        weight_decay,
        undecayed=(*UNDECAYED, *token),
        global_clipnorm=clip_norm,
        gradient_accumulation_steps=accumulation_steps
        if accumulation_steps > 1
        else None,
        use_ema=ema_momentum is not None,
        name=name,
        **average,
    )


class _PaperOptimizer(SelectiveDecay, MovingAverage, Accumulation):
    """What the optimizers here have beyond Keras's."""


@keras.saving.register_keras_serializable(package="keras_cait")
class AdamW(_PaperOptimizer, keras.optimizers.AdamW):
    """AdamW with torch's epsilon and the papers' choice of variables that decay.

    `w -= learning_rate * weight_decay * w`, then
    `w -= learning_rate * m / (sqrt(v) + epsilon)`, with `m` and `v` corrected for
    their start at 0. Keras adds `epsilon` before that correction, where it weighs
    31.6 times as much in step 1: too much for gradients near 1e-9, such as those
    inside a block whose LayerScale starts at 1e-5.

    Args:
        learning_rate: A rate a step, or a schedule of them.
        weight_decay: Part of each weight taken off a step, times the rate.
        epsilon: Added to the root of the corrected second moment; 1e-8 as in
            `torch.optim.AdamW`.
        undecayed: Parts of the names of the variables that do not decay, besides
            all vectors: by default of biases, position embedding and class token.
            As in the official code the distillation token decays.
        **kwargs: The other arguments of `keras.optimizers.AdamW`.

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
        undecayed: Iterable[str] = UNDECAYED,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            learning_rate, weight_decay, epsilon=epsilon, undecayed=undecayed, **kwargs
        )

    def update_step(
        self, gradient: Tensor, variable: Tensor, learning_rate: Tensor
    ) -> None:
        update = _adam_update(self, gradient, variable)
        self.assign_sub(variable, ops.cast(learning_rate, variable.dtype) * update)


@keras.saving.register_keras_serializable(package="keras_cait")
class Lamb(_PaperOptimizer, keras.optimizers.Lamb):
    """LAMB, with which DeiT-III is trained: Adam with a step as long as the weight.

    `u = m / (sqrt(v) + epsilon) + weight_decay * w`, with `m` and `v` corrected for
    their start at 0, then `w -= learning_rate * (|w| / |u|) * u`. Keras takes the
    decay off outside of `u`, and gives variables that do not decay that ratio too,
    which stay at Adam's step here as in FusedLAMB, DeiT-III's optimizer. FusedLAMB
    also clips the norm of all gradients together at 1: `global_clipnorm=1.0`.

    Args:
        learning_rate: A rate a step, or a schedule of them.
        weight_decay: Part of each weight that counts as gradient.
        epsilon: Added to the root of the second moment; 1e-8 as in DeiT-III.
        undecayed: Parts of the names of the variables that do not decay, besides
            all vectors: by default of biases, position embedding and class token.
        **kwargs: The other arguments of `keras.optimizers.Lamb`.

    Example:
        >>> import numpy as np
        >>> weight = keras.Variable([[3.0, 4.0]], name="kernel")
        >>> Lamb(0.1).apply([keras.ops.ones((1, 2))], [weight])
        >>> way = np.subtract([[3.0, 4.0]], keras.ops.convert_to_numpy(weight.value))
        >>> float(np.linalg.norm(way).round(4))  # a tenth of the weight's length
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
        undecayed: Iterable[str] = UNDECAYED,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            learning_rate,
            weight_decay=weight_decay,
            epsilon=epsilon,
            undecayed=undecayed,
            **kwargs,
        )

    def _apply_weight_decay(self, variables: list[keras.Variable]) -> None:
        """Nothing: `update_step` does, inside of what the ratio scales."""

    def update_step(
        self, gradient: Tensor, variable: Tensor, learning_rate: Tensor
    ) -> None:
        update = _adam_update(self, gradient, variable)
        if self.weight_decay and self._use_weight_decay(variable):
            update += self.weight_decay * variable
            update *= _ratio(variable, update)
        self.assign_sub(variable, ops.cast(learning_rate, variable.dtype) * update)


@keras.saving.register_keras_serializable(package="keras_cait")
class SGD(_PaperOptimizer, keras.optimizers.SGD):
    """Gradient descent with Nesterov's momentum, as the papers fine-tune with.

    Weight decay counts as gradient, `gradient + weight_decay * weight`, as in torch,
    where momentum makes it ten times what it is in Keras, which takes it off apart.

    Args:
        learning_rate: A rate a step, or a schedule of them.
        weight_decay: Part of each weight that counts as gradient.
        momentum: What remains of the velocity a step, in [0, 1].
        nesterov: Whether the step goes ahead along the new velocity.
        undecayed: Parts of the names of the variables that do not decay, besides
            all vectors: by default of biases, position embedding and class token.
        **kwargs: The other arguments of `keras.optimizers.SGD`.

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
        undecayed: Iterable[str] = UNDECAYED,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            learning_rate,
            momentum=momentum,
            nesterov=nesterov,
            weight_decay=weight_decay,
            undecayed=undecayed,
            **kwargs,
        )

    def _apply_weight_decay(self, variables: list[keras.Variable]) -> None:
        """Nothing: `update_step` does, as a part of the gradient."""

    def update_step(
        self, gradient: Tensor, variable: Tensor, learning_rate: Tensor
    ) -> None:
        if self.weight_decay and self._use_weight_decay(variable):
            gradient = gradient + self.weight_decay * variable
        super().update_step(gradient, variable, learning_rate)


def _adam_update(optimizer: Any, gradient: Tensor, variable: Tensor) -> Tensor:
    """Moves both moments; Adam's step at rate 1, with `epsilon` added last."""
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


def _ratio(weight: Tensor, update: Tensor) -> Tensor:
    """LAMB's trust ratio: how much longer the weight is; 1 where one has no length."""
    lengths = [ops.sqrt(ops.sum(ops.square(x))) for x in (weight, update)]
    both = ops.logical_and(lengths[0] > 0, lengths[1] > 0)
    return ops.where(both, lengths[0] / ops.where(both, lengths[1], 1.0), 1.0)
