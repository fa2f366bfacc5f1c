"""Distillation: trains a teacher, then a student without it and with it."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import keras
import numpy as np

from keras_cait.data.image_dataset import ImageDataset
from keras_cait.training.distillation_setup import DistillationSetup
from keras_cait.training.evaluation import named_outputs, predict
from keras_cait.training.fit import fit
from keras_cait.training.programs.report import write_report
from keras_cait.training.programs.students import build_student
from keras_cait.training.run import Run
from keras_cait.training.run_batches import (
    batches_of_sampled_images,
    batches_of_test_images,
)
from keras_cait.training.settings.distillation_settings import DistillationSettings
from keras_cait.training.teachers.binomial_test import chance_p_value
from keras_cait.training.teachers.teacher import Teacher, make_teacher

FILES = (
    "student.keras",
    "student_ema.keras",
    "undistilled_ema.keras",
    "teacher.keras",
    "history.csv",
    "curves.png",
    "config.json",
    "README.md",
    "tensorboard",
)

# The convnet teacher is trained without mixed images and with less augmentation.
TEACHER_TRAINING: Mapping[str, Any] = {
    "mixup": 0.0,
    "cutmix": 0.0,
    "erasing": 0.0,
    "repeats": 1,
    "ema": None,
}

# A teacher is refused if a guessing classifier would reach its accuracy with more than
# this probability. If the test images cannot decide it, training images are added.
_LARGEST_P_VALUE = 1e-3
_TRAINING_IMAGES = 1000


def distill(
    settings: DistillationSettings, data: ImageDataset, *, family: str
) -> dict[str, Any]:
    """Trains teacher and students, writes the files and returns the results."""
    run = Run(settings, data, FILES)
    # Errors in the settings show here, before anything is trained or replaced.
    teacher = _make_teacher(run, settings)
    results: dict[str, Any] = {}
    if teacher.trained:
        results["teacher_accuracy"] = _pretrained_accuracy(run, settings, teacher)
    students = _make_students(run, settings, family)
    run.start()
    if not teacher.trained:
        fit(
            run,
            "teacher",
            teacher.model,
            epochs=settings.teacher_epochs,
            learning_rate=settings.teacher_learning_rate,
            scale_learning_rate=False,
            **TEACHER_TRAINING,
        )
        results["teacher_accuracy"] = run.last("teacher", "val_accuracy")
    run.write_model("teacher.keras", teacher.model)
    setup = DistillationSetup(
        teacher=teacher,
        distillation=settings.distillation,
        alpha=settings.distillation_weight,
        temperature=settings.temperature,
    )
    speed = 0.0
    for name, student in students.items():
        speed = fit(run, name, student, setup if name == "student" else None)
        results[f"{name}_accuracy"] = run.last(name, "val_accuracy")
        run.write_model("student.keras", student)
    if "student" in students:
        results |= _student_results(run, settings)
    *_, model = students.values()
    return results | write_report(run, model, speed, results["teacher_accuracy"])


def _student_results(run: Run, settings: DistillationSettings) -> dict[str, float]:
    last = partial(run.last, "student")
    heads = {}
    if settings.distillation_token:
        heads["class_head_accuracy"] = last("val_class_accuracy")
        heads["distillation_head_accuracy"] = last("val_distillation_accuracy")
    return {**heads, "teacher_agreement": last("val_teacher_agreement")}


def _make_teacher(run: Run, settings: DistillationSettings) -> Teacher:
    make = partial(
        make_teacher,
        settings.teacher,
        run.image_shape,
        run.classes,
        weights=None
        if settings.teacher_weights == "none"
        else settings.teacher_weights,
        class_names=run.data.class_names,
        widths=[int(part) for part in settings.teacher_widths.split(",")],
        blocks=settings.teacher_blocks,
    )
    return run.make(make, precision="none")


def _make_students(
    run: Run, settings: DistillationSettings, family: str
) -> dict[str, keras.Model]:
    """The students, each from the same seed."""

    def make(*, distilled: bool) -> keras.Model:
        build = partial(
            build_student,
            settings.student,
            family,
            input_shape=run.image_shape,
            classes=run.classes,
            distilled=distilled,
            drop_path_rate=settings.drop_path_rate,
        )
        return run.make(build)

    students = {}
    if settings.baseline or settings.distillation == "none":
        students["undistilled"] = make(distilled=False)
    if settings.distillation != "none":
        students["student"] = make(distilled=settings.distillation_token)
    return students


def _pretrained_accuracy(
    run: Run, settings: DistillationSettings, teacher: Teacher
) -> float:
    """Test accuracy of a pretrained teacher. Raises if the teacher may be guessing."""
    outputs = named_outputs(teacher.model, teacher.preprocessing)
    test = predict(outputs, batches_of_test_images(run, teacher.model), top=1)
    labels, chosen = test.labels, test.top_classes["output"][:, 0]
    if chance_p_value(labels, chosen) > _LARGEST_P_VALUE:
        batches = batches_of_sampled_images(run, teacher.model, _TRAINING_IMAGES)
        more = predict(outputs, batches, top=1)
        labels = np.concatenate([labels, more.labels])
        chosen = np.concatenate([chosen, more.top_classes["output"][:, 0]])
        p_value = chance_p_value(labels, chosen)
        if p_value > _LARGEST_P_VALUE:
            raise ValueError(
                f"The teacher must know the classes of {run.data.name} and take images "
                f"in [0, 255]. Received: {settings.teacher}, which is right on "
                f"{100 * np.mean(labels == chosen):.1f} % of {len(labels)} images: no "
                f"better than chance (p = {p_value:.2g})."
            )
    return test.accuracy("output")
