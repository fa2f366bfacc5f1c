"""Optimizer and learning-rate schedule of a run's settings."""

import keras

from keras_cait.training.optimizers.paper_optimizers import build_optimizer
from keras_cait.training.optimizers.schedules import official_schedule, step_decay
from keras_cait.training.settings.training_settings import TrainingSettings


def optimizer_from(
    settings: TrainingSettings, steps: int
) -> keras.optimizers.Optimizer:
    """The optimizer that the settings name, with its schedule.

    Args:
        settings: The settings of a run.
        steps: Batches of an epoch; `settings.accumulation_steps` of them make one
            optimizer step, which is what the schedule counts.

    """
    updates = {"steps_per_epoch": steps // settings.accumulation_steps}
    rise = {
        "warmup_epochs": settings.warmup_epochs,
        "warmup_rate": settings.warmup_learning_rate,
    }
    peak, epochs = settings.peak_learning_rate, settings.epochs
    if settings.schedule == "decay":
        rates = step_decay(
            peak,
            epochs,
            decay_epochs=settings.decay_epochs,
            decay_rate=settings.decay_rate,
            **updates,
            **rise,
        )
    else:
        rates = official_schedule(
            peak,
            epochs,
            final_rate=settings.final_learning_rate,
            per_step=settings.rate_per_step,
            **updates,
            **rise,
        )
    return build_optimizer(
        settings.optimizer,
        rates,
        weight_decay=settings.weight_decay,
        clip_norm=settings.clip_norm,
        accumulation_steps=settings.accumulation_steps,
        ema_momentum=settings.ema,
        decay_distillation_token=settings.decay_distillation_token,
    )
