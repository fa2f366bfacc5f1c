"""Teachers of every form: subclassed, or with one output in a list or dictionary."""

import re

import keras
import numpy as np
import pytest

from keras_cait import Distiller
from tests.support.models.distillation_models import (
    CLASSES,
    SHAPE,
    make_batch,
    make_student,
    make_teacher,
    one_step,
)


class Subclassed(keras.Model):
    """A teacher without a graph; `call` takes no `training`."""

    def __init__(self, inner, **options):
        super().__init__(**options)
        self.inner = inner

    def call(self, inputs):
        return self.inner(inputs)


class InParts(keras.Model):
    """A teacher that is built by its first call, on images of 8 x 8."""

    def __init__(self, classes=CLASSES):
        super().__init__()
        self.flat, self.head = keras.layers.Flatten(), keras.layers.Dense(classes)

    def call(self, inputs, training):
        if inputs.shape[1] != 8:
            raise ValueError("8 x 8 only")
        return self.head(self.flat(inputs))


def in_a_list():
    teacher = make_teacher()
    return keras.Model(teacher.inputs, [teacher.outputs[0]])


def in_a_dictionary():
    teacher = make_teacher()
    return keras.Model(teacher.inputs, {"logits": teacher.outputs[0]})


def built(teacher):
    teacher(np.zeros((1, 8, 8, 3), "float32"), training=False)
    return teacher


def half(images):
    return images[:, ::2, ::2]


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: Subclassed(make_teacher()), id="subclassed"),
        pytest.param(in_a_list, id="list", marks=pytest.mark.slow),
        pytest.param(in_a_dictionary, id="dictionary", marks=pytest.mark.slow),
    ],
)
def test_any_form_of_teacher_gives_the_same_loss(make):
    logs = []
    for teacher in (make_teacher(), make()):
        distiller = Distiller(make_student(), teacher, "soft", teacher_output="logits")
        distiller.compile("sgd")
        logs.append(one_step(distiller, *make_batch()))
    assert logs[0] == pytest.approx(logs[1])


def test_a_subclassed_teacher_is_built_for_its_preprocessed_images():
    teacher = InParts()
    distiller = Distiller(
        make_student(),
        teacher,
        teacher_preprocessing=half,
        teacher_output="logits",
    )
    assert teacher.head.kernel.shape == (8 * 8 * 3, CLASSES)
    distiller.compile("sgd")
    assert np.isfinite(one_step(distiller, *make_batch())["loss"])


@pytest.mark.parametrize(
    ("teacher", "options", "named"),
    [
        (InParts(7), {"teacher_preprocessing": half}, "4 and a teacher with 7"),
        (
            built(InParts()),
            {},
            f"InParts .*{re.escape(str(SHAPE[:2])[1:-1])}.*8 x 8 only",
        ),
        (Subclassed(make_teacher(), name="mine"), {}, "logits or prob.*Subclassed"),
    ],
)
def test_a_subclassed_teacher_that_does_not_fit_is_refused(teacher, options, named):
    output = "auto" if teacher.name == "mine" else "logits"
    with pytest.raises(ValueError, match=f"(?s){named}"):
        Distiller(make_student(), teacher, teacher_output=output, **options)
