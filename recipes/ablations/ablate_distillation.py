"""Students of DeiT's tables 3 and 4: four kinds of distillation from one teacher."""

from collections.abc import Iterator
from functools import partial
from itertools import combinations
from typing import Any

import keras
import numpy as np

from keras_cait import DeiT
from keras_cait.training.distillation_setup import DistillationSetup
from keras_cait.training.evaluation import Predictions, named_outputs, predict
from keras_cait.training.fit import fit
from keras_cait.training.programs.distill import TEACHER_TRAINING
from keras_cait.training.run import Run
from keras_cait.training.run_batches import batches_of_test_images
from keras_cait.training.teachers.teacher import Teacher, make_teacher

# Distillation, distillation token and alpha, as in the paper.
_KINDS: dict[str, tuple[str, bool, float]] = {
    "undistilled": ("none", False, 0.0),
    "soft, one head": ("soft", False, 0.1),
    "hard, one head": ("hard", False, 0.5),
    "hard, with a token": ("hard", True, 0.5),
}


def trained_students(run: Run, settings: Any, seed: int) -> Iterator[dict[str, Any]]:
    """Trains teacher and students; yields their rows, then one for each pair."""
    teacher = _teacher(run, settings, seed)
    found = _predict(run, teacher.model, teacher.preprocessing)
    top_classes = {"teacher": found.top_classes["output"]}
    yield {"model": "teacher", "head": "", "accuracy": found.accuracy("output")}
    for name, (kind, token, alpha) in _KINDS.items():
        build = partial(
            DeiT,
            input_shape=run.image_shape,
            classes=run.classes,
            depth=settings.depth,
            distilled=token,
            drop_path_rate=settings.drop_path_rate or 0.0,
            include_preprocessing=True,
            **settings.sizes,
        )
        student = run.make(build, seed=seed)
        setup = DistillationSetup(teacher=teacher, distillation=kind, alpha=alpha)
        fit(run, name, student, setup if kind != "none" else None, seed=seed)
        found = _predict(run, student)
        for head, best in found.top_classes.items():
            shown = head if token else ""
            yield {"model": name, "head": shown, "accuracy": found.accuracy(head)}
            if name == "undistilled" or token:
                top_classes[shown or name] = best
    for one, other in combinations(top_classes, 2):
        apart = float(np.mean(top_classes[one] != top_classes[other]))
        yield {"model": f"{one} against {other}", "head": "", "disagreement": apart}


def _teacher(run: Run, settings: Any, seed: int) -> Teacher:
    make = partial(
        make_teacher,
        settings.teacher,
        run.image_shape,
        run.classes,
        weights=None,
        widths=(16, 32, 64),
        blocks=1,
    )
    teacher = run.make(make, seed=seed, precision="none")
    if not teacher.trained:
        fit(
            run,
            "teacher",
            teacher.model,
            seed=seed,
            epochs=settings.teacher_epochs,
            learning_rate=settings.teacher_learning_rate,
            **TEACHER_TRAINING,
        )
    return teacher


def _predict(run: Run, model: keras.Model, prepare: Any = None) -> Predictions:
    """The most likely class of every test image."""
    return predict(
        named_outputs(model, prepare), batches_of_test_images(run, model), top=1
    )
