"""The run behind the recipes that train one model on labels."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from keras_cait.data.image_dataset import ImageDataset
from keras_cait.training.fit import fit
from keras_cait.training.programs.report import finish
from keras_cait.training.programs.students import build_student
from keras_cait.training.run import Run
from keras_cait.training.settings.configuration import setting
from keras_cait.training.settings.presets import (
    DIGITS,
    PHOTOGRAPHS,
    SMOKE,
    THUMBNAILS,
    Preset,
)
from keras_cait.training.settings.run_settings import RunConfig

FILES = (
    "model.keras",
    "model_ema.keras",
    "history.csv",
    "curves.png",
    "config.json",
    "tensorboard",
)


@dataclass(frozen=True, kw_only=True)
class TrainConfig(RunConfig):
    """What a recipe that trains on labels is told."""

    model: str = setting("DeiT_S", "a builder's name, or embed_dim=64,depth=4,...")


def presets_of(official: Preset, model: str) -> dict[str, Preset]:
    """The presets of a recipe, for a family's official settings."""
    return {
        "imagenet": {**official, "model": model},
        "photographs": {**official, **PHOTOGRAPHS, "model": model},
        "thumbnails": THUMBNAILS,
        "digits": DIGITS,
        "smoke": SMOKE,
    }


def train(
    config: TrainConfig, data: ImageDataset, *, families: tuple[str, ...]
) -> dict[str, Any]:
    """Trains one model, writes the files and returns the results."""
    run = Run(config, data, FILES)
    build = partial(
        build_student,
        config.model,
        *families,
        input_shape=run.image_shape,
        classes=run.classes,
        drop_path_rate=config.drop_path_rate,
    )
    model = run.make(build)
    run.start()
    speed = fit(run, "model", model)
    run.write_model("model.keras", model)
    return {"accuracy": run.last("model", "val_accuracy"), **finish(run, speed)}
