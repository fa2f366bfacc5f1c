"""Supervised training of one model."""

from functools import partial
from typing import Any

from keras_cait.data.image_dataset import ImageDataset
from keras_cait.training.fit import fit
from keras_cait.training.programs.report import write_report
from keras_cait.training.programs.students import build_student
from keras_cait.training.run import Run
from keras_cait.training.settings.supervised_settings import SupervisedSettings

FILES = (
    "model.keras",
    "model_ema.keras",
    "history.csv",
    "curves.png",
    "config.json",
    "README.md",
    "tensorboard",
)


def train(
    settings: SupervisedSettings, data: ImageDataset, *, families: tuple[str, ...]
) -> dict[str, Any]:
    """Trains the model, writes the files and returns the results."""
    run = Run(settings, data, FILES)
    build = partial(
        build_student,
        settings.model,
        *families,
        input_shape=run.image_shape,
        classes=run.classes,
        drop_path_rate=settings.drop_path_rate,
    )
    model = run.make(build)
    run.start()
    speed = fit(run, "model", model)
    run.write_model("model.keras", model)
    return {
        "accuracy": run.last("model", "val_accuracy"),
        **write_report(run, model, speed),
    }
