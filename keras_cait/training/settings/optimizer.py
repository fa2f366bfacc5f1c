"""Optimizer and learning-rate schedule of a run's settings."""

from typing import Any

import keras

from keras_cait.training.optimizers.build import build_optimizer
from keras_cait.training.optimizers.schedules import official_schedule, step_decay
from keras_cait.training.settings.training_settings import TrainingSettings


def optimizer_from(
    settings: TrainingSettings, steps: int
) -> keras.optimizers.Optimizer:
    """The optimizer that the settings name, with its schedule.

    `steps` counts batches of an epoch; `settings.accumulation_steps` of them make one
    optimizer step, which is what the schedule counts.
    """
    options: dict[str, Any] = {
        "peak": settings.peak_learning_rate,
        "epochs": settings.epochs,
        "steps_per_epoch": steps // settings.accumulation_steps,
        "warmup_epochs": settings.warmup_epochs,
        "warmup_rate": settings.warmup_learning_rate,
    }
    if settings.schedule == "decay":
        epochs, rate = settings.decay_epochs, settings.decay_rate
        schedule = step_decay(**options, decay_epochs=epochs, decay_rate=rate)
    else:
        schedule = official_schedule(
            **options,
            final_rate=settings.final_learning_rate,
            per_step=settings.rate_per_step,
        )
    return build_optimizer(
        settings.optimizer,
        schedule,
        weight_decay=settings.weight_decay,
        clip_norm=settings.clip_norm,
        accumulation_steps=settings.accumulation_steps,
        ema_momentum=settings.ema,
        decay_distillation_token=settings.decay_distillation_token,
    )
