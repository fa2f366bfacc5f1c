r"""Fine-tunes a model: another resolution, another data set, with a teacher or not.

    python recipes/finetune.py --model CaiT_XXS24 --weights imagenet --data-dir DIR
    python recipes/finetune.py --model deit_base_patch16_224 --preset deit-384 \
        --dataset imagenet2012               timm's name says which weights
    python recipes/finetune.py --model DeiT_S_Distilled --teacher teacher.keras \
        --data-dir DIR                       both heads, as DeiT's authors prefer
    python recipes/finetune.py --weights run/model.keras --data-dir DIR --scratch
    python recipes/finetune.py --smoke

`--scratch` trains the same model from random weights too, with the same budget and
seed, to show what the checkpoint is worth. Position embeddings are resampled
bicubically, and a head for other classes starts anew.

Papers: DeiT (https://arxiv.org/abs/2012.12877), section 5.4, tables 7 and 8; CaiT
(https://arxiv.org/abs/2103.17239), section 4.4. The presets are what their authors
published or answered; recipes/README.md says where.

In the output folder: finetuned.keras (takes images in [0, 255]), history.csv,
tensorboard/, curves.png and config.json. The last line of the standard output is a
JSON object with the results.
"""

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import keras

import keras_cait
from keras_cait.data.image_dataset import ImageDataset
from keras_cait.models.published.rebuilding import own_drop_path_rate, rebuild
from keras_cait.models.published.registry import model_with_weights
from keras_cait.training.distillation_setup import DistillationSetup
from keras_cait.training.fit import fit
from keras_cait.training.programs.launch import launch
from keras_cait.training.programs.report import finish
from keras_cait.training.run import Run
from keras_cait.training.settings.configuration import setting
from keras_cait.training.settings.model_settings import finetuning_of
from keras_cait.training.settings.presets import FINETUNING
from keras_cait.training.settings.run_settings import RunConfig
from keras_cait.training.teachers.teacher import make_teacher

Channels = tuple[float, float, float]

FILES = (
    "finetuned.keras",
    "finetuned_ema.keras",
    "scratch_ema.keras",
    "history.csv",
    "curves.png",
    "config.json",
    "tensorboard",
)


@dataclass(frozen=True, kw_only=True)
class FinetuneConfig(RunConfig):
    """What is fine-tuned, and from where."""

    model: str | None = setting(
        None, "a builder's or timm's name; a .keras file says its own"
    )
    weights: str = setting("imagenet", "imagenet, hf://owner/repo, or a file")
    teacher: str | None = setting(None, "a .keras file, or an architecture by name")
    distillation: Literal["hard", "soft"] = setting("hard", "kind of loss")
    alpha: float = setting(0.5, "weight of the distillation loss, 0 to 1")
    temperature: float = setting(3.0, "of soft distillation, above 0")
    scratch: bool = setting(False, "train from random weights too")
    mean: Channels | None = setting(
        None, "of each channel of images in [0, 1]; as the weights have it"
    )
    std: Channels | None = setting(None, "standard deviation likewise")

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check("alpha", 0 <= self.alpha <= 1, "in [0, 1]")
        self._check("temperature", self.temperature > 0, "above 0")
        self._check("std", min(self.std or (1,)) > 0, "above 0")
        if self.model is None and not self.weights.endswith(".keras"):
            raise ValueError(
                "--model must be named, unless --weights is a .keras file that says "
                f"it. Received: --weights {self.weights}"
            )


def finetune(config: FinetuneConfig, data: ImageDataset) -> dict[str, Any]:
    """Trains what was asked for, writes the files and returns the results."""
    run = Run(at_own_size(config), data, FILES)
    models = {"finetuned": run.make(partial(_build, config, run))}
    if config.scratch:
        models["scratch"] = run.make(partial(_build, config, run, scratch=True))
    setup = None
    if config.teacher is not None:
        load = partial(
            make_teacher,
            config.teacher,
            run.image_shape,
            run.classes,
            class_names=data.class_names,
        )
        teacher = run.make(load, precision="none")
        if not teacher.trained:
            raise ValueError(
                f"The teacher must know the {run.classes} classes of the data. "
                f"Received: {config.teacher}, which has yet to learn them. Train it "
                "first, and give its .keras file."
            )
        setup = DistillationSetup(
            teacher=teacher,
            distillation=config.distillation,
            alpha=config.alpha,
            temperature=config.temperature,
        )
    run.start(**_resolved(models["finetuned"]))
    results, speed = {}, 0.0
    for name, model in models.items():
        speed = fit(run, name, model, setup)
        results[f"{name}_accuracy"] = run.last(name, "val_accuracy")
    run.write_model("finetuned.keras", models["finetuned"])
    return {**results, **finish(run, speed)}


def _resolved(model: keras.Model) -> dict[str, Any]:
    """What the weights and the architecture decide where no flag does."""
    return {
        "drop_path_rate": own_drop_path_rate(model),
        "preprocessing": keras_cait.preprocessing_for(model),
    }


def at_own_size(config: FinetuneConfig) -> FinetuneConfig:
    """Photographs are brought to the size that a published model was trained at."""
    if config.preset != "photographs" or config.image_size or config.model is None:
        return config
    size = keras_cait.preprocessing_for(config.model).size[0]
    return replace(config, image_size=size)


def _build(config: FinetuneConfig, run: Run, *, scratch: bool = False) -> keras.Model:
    """The model for the run's images and classes, with the weights or without."""
    options: dict[str, Any] = {"input_shape": run.image_shape, "classes": run.classes}
    options["class_names"] = run.data.class_names
    overrides = {
        name: getattr(config, name)
        for name in ("mean", "std")
        if getattr(config, name) is not None
    }
    with warnings.catch_warnings():
        # A head for other classes is what fine-tuning is for.
        warnings.filterwarnings("ignore", message=".*the model has .* classes")
        if config.model is None:
            return rebuild(
                Path(config.weights),
                **options,
                drop_path_rate=config.drop_path_rate,
                preprocessing_overrides=overrides,
                with_weights=not scratch,
            )
        if config.drop_path_rate is not None:
            options["drop_path_rate"] = config.drop_path_rate
        return model_with_weights(
            config.model,
            config.weights,
            preprocessing_overrides=overrides,
            with_weights=not scratch,
            new_head=True,
            include_preprocessing=True,
            **options,
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the recipe; returns the exit code."""
    presets = FINETUNING
    return launch(
        *(FinetuneConfig, presets, finetune, __doc__ or "", arguments),
        by_model=finetuning_of,
    )


if __name__ == "__main__":
    sys.exit(main())
