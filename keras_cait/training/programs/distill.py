"""The run behind the recipes that distil: teacher, then student without and with it."""

from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import keras
import numpy as np

from keras_cait.data.image_dataset import ImageDataset
from keras_cait.training.distillation_setup import DistillationSetup
from keras_cait.training.evaluation import named_outputs, predict
from keras_cait.training.fit import fit
from keras_cait.training.programs.report import finish
from keras_cait.training.programs.students import build_student
from keras_cait.training.run import Run
from keras_cait.training.run_batches import (
    batches_of_sampled_images,
    batches_of_test_images,
)
from keras_cait.training.settings.configuration import setting
from keras_cait.training.settings.presets import (
    DIGITS,
    PHOTOGRAPHS,
    SMOKE,
    THUMBNAILS,
    Preset,
)
from keras_cait.training.settings.run_settings import RunConfig
from keras_cait.training.teachers.chance import probability_by_chance
from keras_cait.training.teachers.teacher import Teacher, make_teacher

FILES = (
    "student.keras",
    "student_ema.keras",
    "undistilled_ema.keras",
    "teacher.keras",
    "history.csv",
    "curves.png",
    "config.json",
    "tensorboard",
)

# A convnet learns from whole labels here, and from milder views.
OF_TEACHERS = {"mixup": 0.0, "cutmix": 0.0, "erasing": 0.0, "repeats": 1, "ema": None}


@dataclass(frozen=True, kw_only=True)
class DistillConfig(RunConfig):
    """What a recipe that distils is told."""

    student: str = setting("DeiT_S", "a builder's name, or embed_dim=64,depth=4,...")
    teacher: str = setting("RegNetY_16GF", "a .keras file, convnet, or an architecture")
    teacher_weights: str = setting("imagenet", "imagenet, none, or a file of weights")
    teacher_epochs: int = setting(30, "passes that train a teacher without weights")
    teacher_learning_rate: float = setting(1e-3, "its highest rate, a step")
    teacher_widths: str = setting("64,128,256,512", "channels of the convnet's stages")
    teacher_blocks: int = setting(1, "residual pairs in each of its stages")
    distillation: Literal["hard", "soft", "none"] = setting("hard", "kind of loss")
    alpha: float | None = setting(
        None, "weight of the distillation loss, 0 to 1; 0.5 for hard and 0.9 for soft"
    )
    temperature: float = setting(3.0, "of soft distillation, above 0")
    distillation_token: bool = setting(True, "a token and a head for the teacher")
    baseline: bool = setting(True, "train the student without the teacher too")

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check("alpha", self.alpha is None or 0 <= self.alpha <= 1, "in [0, 1]")
        self._check("temperature", self.temperature > 0, "above 0")
        self._check("teacher_epochs", self.teacher_epochs >= 1, "1 or more")
        whole = all(part.strip().isdecimal() for part in self.teacher_widths.split(","))
        self._check("teacher_widths", whole, "whole numbers with commas between")


# A teacher is refused where its accuracy is likelier than this without knowledge;
# where the test images leave that open, after a look at so many more images.
_BY_CHANCE = 1e-3
_SAMPLE = 1000

# A student this small gains more from how sure its teacher is than from the
# teacher's choice alone, which is nearly always the label.
_SOFT: Preset = {"teacher": "convnet", "distillation": "soft"}
_ALPHA = {"hard": 0.5, "soft": 0.9, "none": 0.0}


def presets_of(official: Preset, student: str) -> dict[str, Preset]:
    """The presets of a recipe that distils, for a family's official settings."""
    named = {
        "imagenet": {**official, "baseline": False, "student": student},
        "photographs": {
            **official,
            **PHOTOGRAPHS,
            "student": student,
            "teacher": "convnet",
            "teacher_blocks": 2,
        },
        "thumbnails": {
            **THUMBNAILS,
            **_SOFT,
            "teacher_epochs": 8,
            "teacher_learning_rate": 4e-3,
            "teacher_widths": "16,32,64",
        },
        "digits": {
            **DIGITS,
            **_SOFT,
            "teacher_epochs": 30,
            "teacher_learning_rate": 2e-3,
            "teacher_widths": "32,64",
        },
        "smoke": {
            **SMOKE,
            "teacher": "convnet",
            "teacher_epochs": 3,
            "teacher_widths": "16,32",
        },
    }
    return {name: _renamed(preset) for name, preset in named.items()}


def _renamed(preset: Preset) -> Preset:
    names = {"model": "student"}
    return {names.get(name, name): value for name, value in preset.items()}


def distil(config: DistillConfig, data: ImageDataset, *, family: str) -> dict[str, Any]:
    """Trains what has to be trained, writes the files and returns the results."""
    run = Run(config, data, FILES)
    # Whatever can be wrong shows here, before anything is trained or replaced.
    teacher = _make_teacher(run, config)
    results: dict[str, Any] = {}
    if teacher.trained:
        results["teacher_accuracy"] = _accuracy_of(run, config, teacher)
    students = _make_students(run, config, family)
    run.start()
    if not teacher.trained:
        fit(
            run,
            "teacher",
            teacher.model,
            epochs=config.teacher_epochs,
            learning_rate=config.teacher_learning_rate,
            scale_learning_rate=False,
            **OF_TEACHERS,
        )
        results["teacher_accuracy"] = run.last("teacher", "val_accuracy")
    run.write_model("teacher.keras", teacher.model)
    setup = DistillationSetup(
        teacher=teacher,
        distillation=config.distillation,
        alpha=_ALPHA[config.distillation] if config.alpha is None else config.alpha,
        temperature=config.temperature,
    )
    speed = 0.0
    for name, student in students.items():
        speed = fit(run, name, student, setup if name == "student" else None)
        results[f"{name}_accuracy"] = run.last(name, "val_accuracy")
        run.write_model("student.keras", student)
    if "student" in students:
        results |= _of_each_head(run, config)
    return results | finish(run, speed, results["teacher_accuracy"])


def _of_each_head(run: Run, config: DistillConfig) -> dict[str, float]:
    last = partial(run.last, "student")
    heads = {}
    if config.distillation_token:
        heads["class_head_accuracy"] = last("val_class_accuracy")
        heads["distillation_head_accuracy"] = last("val_distillation_accuracy")
    return {**heads, "teacher_agreement": last("val_teacher_agreement")}


def _make_teacher(run: Run, config: DistillConfig) -> Teacher:
    weights = None if config.teacher_weights == "none" else config.teacher_weights

    def make() -> Teacher:
        return make_teacher(
            config.teacher,
            run.image_shape,
            run.classes,
            weights=weights,
            class_names=run.data.class_names,
            widths=[int(part) for part in config.teacher_widths.split(",")],
            blocks=config.teacher_blocks,
        )

    return run.make(make, precision="none")


def _make_students(
    run: Run, config: DistillConfig, family: str
) -> dict[str, keras.Model]:
    """The students, each from the same seed."""

    def make(*, distilled: bool) -> keras.Model:
        build = partial(
            build_student,
            config.student,
            family,
            input_shape=run.image_shape,
            classes=run.classes,
            distilled=distilled,
            drop_path_rate=config.drop_path_rate,
        )
        return run.make(build)

    students = {}
    if config.baseline or config.distillation == "none":
        students["undistilled"] = make(distilled=False)
    if config.distillation != "none":
        students["student"] = make(distilled=config.distillation_token)
    return students


def _accuracy_of(run: Run, config: DistillConfig, teacher: Teacher) -> float:
    """Of a teacher that knows its classes; refused where it may answer by chance."""
    outputs = named_outputs(teacher.model, teacher.preprocessing)
    found = predict(outputs, batches_of_test_images(run, teacher.model), top=1)
    labels, chosen = found.labels, found.top_classes["output"][:, 0]
    accuracy = found.accuracy("output")
    if probability_by_chance(labels, chosen) > _BY_CHANCE:
        # A few test images do not tell, and those to train on tell as well whether
        # it knows the classes.
        more = predict(
            outputs, batches_of_sampled_images(run, teacher.model, _SAMPLE), top=1
        )
        labels = np.concatenate([labels, more.labels])
        chosen = np.concatenate([chosen, more.top_classes["output"][:, 0]])
        probability = probability_by_chance(labels, chosen)
        if probability > _BY_CHANCE:
            raise ValueError(
                f"The teacher must know the classes of {run.data.name} and take images "
                f"in [0, 255]. Received: {config.teacher}, which is right on "
                f"{100 * np.mean(labels == chosen):.1f} % of {len(labels)} images: no "
                f"better than chance (p = {probability:.2g})."
            )
    return accuracy
