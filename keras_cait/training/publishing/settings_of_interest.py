"""Settings of a run that its model card lists."""

from collections.abc import Iterator

from keras_cait.training.publishing.command_line import without_folder
from keras_cait.training.settings.run_settings import RunSettings

_TRAINING = (
    *("preset", "student", "model", "weights", "epochs", "batch_size"),
    *("accumulation_steps", "optimizer", "peak_learning_rate", "schedule"),
    *("warmup_epochs", "weight_decay", "clip_norm", "ema", "drop_path_rate", "loss"),
    *("crop", "flip", "augment", "shift", "rotation", "zoom", "erasing", "mixup"),
    *("cutmix", "smoothing", "repeats", "mixed_precision", "seed"),
)
_DISTILLATION = ("teacher", "distillation", "distillation_token")


def settings_of_interest(settings: RunSettings) -> Iterator[tuple[str, str]]:
    """Names and values of the settings that decide the result, in words.

    Those that a recipe has not, and those that are off, are left out.
    """
    names = _TRAINING
    if is_distilled(settings):
        has_default = hasattr(settings, "distillation_weight")
        names += (*_DISTILLATION, "distillation_weight" if has_default else "alpha")
        if getattr(settings, "distillation", None) == "soft":
            names += ("temperature",)
    for name in names:
        value = getattr(settings, name, None)
        if name == "seed" or value not in (None, False, 0, "none"):
            yield name.replace("_", " "), without_folder(value)


def is_distilled(settings: RunSettings) -> bool:
    """Whether a run trains its model with a teacher."""
    teacher = getattr(settings, "teacher", None)
    return teacher is not None and getattr(settings, "distillation", "none") != "none"
