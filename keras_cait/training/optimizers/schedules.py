"""Learning-rate schedules of the papers: warm-up and cosine, and step decay."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import ops
from keras.optimizers.schedules import LearningRateSchedule

from keras_cait.layers.checks import check_positive
from keras_cait.range_check import check_range
from keras_cait.typing import Tensor


def official_schedule(
    peak: float = 1e-3,
    epochs: int = 300,
    *,
    steps_per_epoch: int,
    warmup_epochs: int = 5,
    warmup_rate: float = 1e-6,
    final_rate: float = 1e-5,
    per_step: bool = False,
) -> LearningRateSchedule:
    """The schedule of DeiT and CaiT: a linear warm-up, then half a cosine.

    `warmup_rate + (peak - warmup_rate) * e / warmup_epochs` up to `warmup_epochs`,
    then `final_rate + (peak - final_rate) * (1 + cos(pi * e / epochs)) / 2`. The
    cosine starts at epoch 0, so that it is already below `peak` at the end of the
    warm-up. With `epochs` below `warmup_epochs` the rate only rises.

    Args:
        peak: Peak rate.
        epochs: Epochs of the run; afterwards the rate stays at `final_rate`.
        steps_per_epoch: Optimizer steps of one epoch, each of one batch or of
            several that are accumulated.
        warmup_epochs: Epochs of the warm-up; 0 for none.
        warmup_rate: Rate at the start of the warm-up.
        final_rate: Rate at the end of the cosine.
        per_step: Whether `e` grows with each step. If not, the rate is constant
            over an epoch and one epoch behind, as in the official code, which
            updates it after an epoch by that epoch's number: epochs 0 and 1 share
            one rate.

    Raises:
        ValueError: If a number is out of its range.

    Example:
        >>> schedule = official_schedule(steps_per_epoch=10)
        >>> [f"{float(schedule(step)):.4g}" for step in (0, 10, 20, 60, 2999)]
        ['1e-06', '1e-06', '0.0002008', '0.0009993', '1.011e-05']

    Reference:
        Touvron et al., Training data-efficient image transformers & distillation
        through attention, table 9, https://arxiv.org/abs/2012.12877; Loshchilov and
        Hutter, SGDR, https://arxiv.org/abs/1608.03983

    """
    schedule = WarmupCosine(
        peak,
        epochs,
        steps_per_epoch=steps_per_epoch,
        warmup_epochs=warmup_epochs,
        warmup_rate=warmup_rate,
        final_rate=final_rate,
    )
    if per_step:
        return schedule
    return _one_epoch_behind(schedule.rate_at, epochs, steps_per_epoch)


def step_decay(
    peak: float,
    epochs: int,
    *,
    steps_per_epoch: int,
    decay_epochs: int,
    decay_rate: float,
    warmup_epochs: int = 0,
    warmup_rate: float = 1e-6,
) -> LearningRateSchedule:
    """A rate that is multiplied by `decay_rate` every `decay_epochs`.

    `peak * decay_rate ** (e // decay_epochs)` after a linear warm-up, with `e`
    counted from the start of the run. Like `official_schedule`, which explains the
    other arguments, it is constant over an epoch and one epoch behind.

    Args:
        peak: Peak rate.
        epochs: Epochs of the run.
        steps_per_epoch: Optimizer steps of one epoch.
        decay_epochs: Epochs between two multiplications.
        decay_rate: Factor, in (0, 1].
        warmup_epochs: Epochs of the warm-up; 0 for none.
        warmup_rate: Rate at the start of the warm-up.

    Example:
        >>> schedule = step_decay(
        ...     8.0, 7, steps_per_epoch=1, decay_epochs=2, decay_rate=0.5)
        >>> [float(schedule(step)) for step in range(7)]
        [8.0, 8.0, 8.0, 4.0, 4.0, 2.0, 2.0]

    """
    check_positive(decay_epochs=decay_epochs)
    check_range(0 < decay_rate <= 1, "in (0, 1]", decay_rate=decay_rate)
    warmup = WarmupCosine(
        peak,
        epochs,
        steps_per_epoch=steps_per_epoch,
        warmup_epochs=warmup_epochs,
        warmup_rate=warmup_rate,
    )

    def rate_at(epoch: float) -> float:
        if epoch < warmup_epochs:
            return warmup.rate_at(epoch)
        return peak * decay_rate ** (epoch // decay_epochs)

    return _one_epoch_behind(rate_at, epochs, steps_per_epoch)


@keras.saving.register_keras_serializable(package="keras_cait")
class WarmupCosine(LearningRateSchedule):
    """`official_schedule` with `per_step`: a new rate each step.

    Example:
        >>> schedule = WarmupCosine(1.0, 4, steps_per_epoch=10, warmup_epochs=1)
        >>> [round(float(schedule(step)), 3) for step in (0, 5, 20, 40)]
        [0.0, 0.5, 0.5, 0.0]

    """

    def __init__(
        self,
        peak: float,
        epochs: int,
        *,
        steps_per_epoch: int,
        warmup_epochs: int = 5,
        warmup_rate: float = 1e-6,
        final_rate: float = 1e-5,
    ) -> None:
        rates = {"peak": peak, "warmup_rate": warmup_rate, "final_rate": final_rate}
        for name, rate in rates.items():
            valid = 0 <= rate < math.inf
            check_range(valid, "at least 0 and finite", **{name: rate})
        check_positive(epochs=epochs, steps_per_epoch=steps_per_epoch)
        check_range(warmup_epochs >= 0, "0 or more", warmup_epochs=warmup_epochs)
        self.peak, self.warmup_rate, self.final_rate = rates.values()
        self.epochs, self.warmup_epochs = epochs, warmup_epochs
        self.steps_per_epoch = steps_per_epoch

    def rate_at(self, epoch: float) -> float:
        """The rate at a fraction of epochs, such as 1.5, in double precision."""
        if epoch < self.warmup_epochs:
            return self._rising(epoch / self.warmup_epochs)
        return self._falling(math.cos(math.pi * min(1, epoch / self.epochs)))

    def __call__(self, step: Tensor) -> Tensor:
        epoch = ops.cast(step, "float32") / self.steps_per_epoch
        angle = math.pi * ops.minimum(1.0, epoch / self.epochs)
        falling = self._falling(ops.cos(angle))
        if self.warmup_epochs == 0:
            return falling
        risen = epoch / self.warmup_epochs
        return ops.where(risen < 1, self._rising(risen), falling)

    def _rising(self, risen: Any) -> Any:
        return self.warmup_rate + (self.peak - self.warmup_rate) * risen

    def _falling(self, cosine: Any) -> Any:
        return self.final_rate + (self.peak - self.final_rate) * (1 + cosine) / 2

    def get_config(self) -> dict[str, Any]:
        names = ("peak", "epochs", "steps_per_epoch")
        names += ("warmup_epochs", "warmup_rate", "final_rate")
        return {name: getattr(self, name) for name in names}


@keras.saving.register_keras_serializable(package="keras_cait")
class EpochRates(LearningRateSchedule):
    """A table of one rate for each epoch; after its end the last rate.

    Example:
        >>> schedule = EpochRates([1.0, 0.5], steps_per_epoch=10)
        >>> [float(schedule(step)) for step in (0, 9, 10, 99)]
        [1.0, 1.0, 0.5, 0.5]
    """

    def __init__(self, rates: Sequence[float], steps_per_epoch: int) -> None:
        check_range(len(rates) > 0, "a rate for each epoch", rates=rates)
        check_positive(steps_per_epoch=steps_per_epoch)
        self.rates = tuple(rates)
        self.steps_per_epoch = steps_per_epoch

    def __call__(self, step: Tensor) -> Tensor:
        epoch = ops.cast(step, "int32") // self.steps_per_epoch
        # Computed in double precision, and rounded to single once.
        rates = ops.convert_to_tensor(self.rates, "float32")
        return ops.take(rates, ops.minimum(epoch, len(self.rates) - 1))

    def get_config(self) -> dict[str, Any]:
        return {"rates": list(self.rates), "steps_per_epoch": self.steps_per_epoch}


def _one_epoch_behind(
    rate_at: Callable[[float], float], epochs: int, steps_per_epoch: int
) -> EpochRates:
    """Table of the rates of all epochs, and of the end of the schedule."""
    rates = [rate_at(max(0, epoch - 1)) for epoch in range(epochs + 2)]
    return EpochRates(rates, steps_per_epoch)
