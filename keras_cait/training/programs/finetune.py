"""Fine-tuning of a checkpoint on other images, at another size or with a teacher."""

import warnings
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import keras

from keras_cait.data.image_dataset import ImageDataset
from keras_cait.models.published.preprocessing import preprocessing_for
from keras_cait.models.published.rebuilding import own_drop_path_rate, rebuild
from keras_cait.models.published.registry import model_with_weights
from keras_cait.training.distillation_setup import DistillationSetup
from keras_cait.training.fit import fit
from keras_cait.training.programs.report import write_report
from keras_cait.training.run import Run
from keras_cait.training.settings.finetuning_settings import FinetuningSettings
from keras_cait.training.teachers.teacher import make_teacher

FILES = (
    "finetuned.keras",
    "finetuned_ema.keras",
    "scratch_ema.keras",
    "history.csv",
    "curves.png",
    "config.json",
    "README.md",
    "tensorboard",
)


def finetune(settings: FinetuningSettings, data: ImageDataset) -> dict[str, Any]:
    """Trains the models, writes the files and returns the results."""
    run = Run(with_published_size(settings), data, FILES)
    models = {"finetuned": run.make(partial(build_model, settings, run))}
    if settings.scratch:
        build = partial(build_model, settings, run, scratch=True)
        models["scratch"] = run.make(build)
    setup = _distillation_setup(settings, run)
    run.start(**model_choices(models["finetuned"]))
    results, speed = {}, 0.0
    for name, model in models.items():
        speed = fit(run, name, model, setup)
        results[f"{name}_accuracy"] = run.last(name, "val_accuracy")
    run.write_model("finetuned.keras", models["finetuned"])
    return {**results, **write_report(run, models["finetuned"], speed)}


def with_published_size(settings: FinetuningSettings) -> FinetuningSettings:
    """Sets the image size of the published model, for photographs without a size."""
    if (
        settings.preset != "photographs"
        or settings.image_size
        or settings.model is None
    ):
        return settings
    return replace(settings, image_size=preprocessing_for(settings.model).size[0])


def build_model(
    settings: FinetuningSettings, run: Run, *, scratch: bool = False
) -> keras.Model:
    """The model for the run's images and classes; `scratch` leaves the weights out."""
    options: dict[str, Any] = {
        "input_shape": run.image_shape,
        "classes": run.classes,
        "class_names": run.data.class_names,
        "with_weights": not scratch,
        "preprocessing_overrides": {
            name: getattr(settings, name)
            for name in ("mean", "std")
            if getattr(settings, name) is not None
        },
    }
    with warnings.catch_warnings():
        # Fine-tuning may start with a new head for other classes.
        warnings.filterwarnings("ignore", message=".*the model has .* classes")
        if settings.model is None:
            return rebuild(
                Path(settings.weights),
                drop_path_rate=settings.drop_path_rate,
                **options,
            )
        if settings.drop_path_rate is not None:
            options["drop_path_rate"] = settings.drop_path_rate
        return model_with_weights(
            settings.model,
            settings.weights,
            new_head=True,
            include_preprocessing=True,
            **options,
        )


def model_choices(model: keras.Model) -> dict[str, Any]:
    """The settings that weights and architecture decide if no flag does."""
    return {
        "drop_path_rate": own_drop_path_rate(model),
        "preprocessing": preprocessing_for(model),
    }


def _distillation_setup(
    settings: FinetuningSettings, run: Run
) -> DistillationSetup | None:
    if settings.teacher is None:
        return None
    load = partial(
        make_teacher,
        settings.teacher,
        run.image_shape,
        run.classes,
        class_names=run.data.class_names,
    )
    teacher = run.make(load, precision="none")
    if not teacher.trained:
        raise ValueError(
            f"The teacher must know the {run.classes} classes of the data. "
            f"Received: {settings.teacher}, which has yet to learn them. Train it "
            "first, and give its .keras file."
        )
    return DistillationSetup(
        teacher=teacher,
        distillation=settings.distillation,
        alpha=settings.alpha,
        temperature=settings.temperature,
    )
