"""Commands that train and evaluate, with the flags of their settings."""

from functools import partial
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from keras_cait.command_line.flags import with_flags
from keras_cait.terminal.loading import loading_libraries
from keras_cait.training.recipes import (
    distill_cait,
    distill_deit,
    train_cait,
    train_deit,
)
from keras_cait.training.recipes import finetune as finetuning
from keras_cait.training.settings.distillation_settings import DistillationSettings
from keras_cait.training.settings.evaluation_settings import EvaluationSettings
from keras_cait.training.settings.finetuning_settings import FinetuningSettings
from keras_cait.training.settings.supervised_settings import SupervisedSettings

Architecture = Annotated[
    Literal["deit", "cait"], Parameter(help="the paper whose recipe is run")
]


def distill(architecture: Architecture = "deit", /, **given: Any) -> int:
    """Train a student on labels and on a teacher, which is trained first if need be."""
    with loading_libraries():
        from keras_cait.training.programs.distill import distill as train_student
        from keras_cait.training.programs.launch import run_recipe
    recipe = {"deit": distill_deit, "cait": distill_cait}[architecture]
    train = partial(train_student, family=architecture)
    return run_recipe(
        DistillationSettings,
        recipe.PRESETS,
        train,
        given,
        program=f"keras-cait distill {architecture}",
    )


def train(architecture: Architecture = "deit", /, **given: Any) -> int:
    """Train a DeiT, DeiT III or CaiT on labels alone."""
    with loading_libraries():
        from keras_cait.training.programs.launch import run_recipe
        from keras_cait.training.programs.train import train as train_model
        from keras_cait.training.settings.model_settings import deit3_training_settings
    recipe = {"deit": train_deit, "cait": train_cait}[architecture]
    families = {"deit": ("deit", "deit3"), "cait": ("cait",)}[architecture]
    return run_recipe(
        SupervisedSettings,
        recipe.PRESETS,
        partial(train_model, families=families),
        given,
        program=f"keras-cait train {architecture}",
        model_settings=deit3_training_settings,
    )


def finetune(**given: Any) -> int:
    """Fine-tune a checkpoint on other images or at another size."""
    with loading_libraries():
        from keras_cait.training.programs.finetune import finetune as train_model
        from keras_cait.training.programs.launch import run_recipe
        from keras_cait.training.settings.model_settings import (
            deit3_finetuning_settings,
        )
    return run_recipe(
        FinetuningSettings,
        finetuning.PRESETS,
        train_model,
        given,
        program="keras-cait finetune",
        model_settings=deit3_finetuning_settings,
    )


def evaluate(**given: Any) -> int:
    """Measure a model on images: top-1 and top-5 accuracy, and speed."""
    with loading_libraries():
        from keras_cait.training.programs.evaluate import run_evaluation
    return run_evaluation(given)


DISTILL = with_flags(DistillationSettings, distill)
TRAIN = with_flags(SupervisedSettings, train)
FINETUNE = with_flags(FinetuningSettings, finetune)
EVALUATE = with_flags(EvaluationSettings, evaluate)
