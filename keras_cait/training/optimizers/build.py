"""Optimizers by name, with the papers' settings."""

from typing import Any

import keras

from keras_cait.layers.checks import (
    check_above_zero,
    check_positive,
    check_rates,
)
from keras_cait.training.optimizers.adamw import AdamW
from keras_cait.training.optimizers.lamb import Lamb
from keras_cait.training.optimizers.sgd import SGD
from keras_cait.training.optimizers.weight_decay import UNDECAYED

_OPTIMIZERS = {"adamw": AdamW, "lamb": Lamb, "sgd": SGD}


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
    """An optimizer by name, with the papers' settings.

    Args:
        name: "adamw", "lamb" or "sgd".
        learning_rate: Learning rate, or a schedule.
        weight_decay: Part of each weight subtracted a step, times the rate.
        clip_norm: Largest norm of all gradients together; None for no clipping.
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
    if name not in _OPTIMIZERS:
        raise ValueError(
            f"`name` must be one of {sorted(_OPTIMIZERS)}. Received: {name!r}"
        )
    check_positive(accumulation_steps=accumulation_steps)
    options: dict[str, Any] = {"name": name, "undecayed": UNDECAYED}
    if not decay_distillation_token:
        options["undecayed"] += ("distillation_token",)
    if clip_norm is not None:
        check_above_zero(clip_norm=clip_norm)
        options["global_clipnorm"] = clip_norm
    if accumulation_steps > 1:
        options["gradient_accumulation_steps"] = accumulation_steps
    if ema_momentum is not None:
        check_rates(ema_momentum=ema_momentum)
        options |= {"use_ema": True, "ema_momentum": ema_momentum}
    return _OPTIMIZERS[name](learning_rate, weight_decay, **options)
