"""Arguments of the distiller that do not fit, and errors that name them."""

import re

import keras
import numpy as np
import pytest

from keras_cait import Distiller, separate_heads
from tests.support.models.distillation_models import (
    SHAPE,
    make_batch,
    make_student,
    make_teacher,
)


class Subclassed(keras.Model):
    def call(self, inputs):
        return inputs


def two_outputs(structure):
    inputs = keras.Input(SHAPE)
    x = keras.layers.GlobalAveragePooling2D()(inputs)
    return keras.Model(inputs, structure([keras.layers.Dense(4)(x) for _ in range(2)]))


def map_of_classes():
    inputs = keras.Input(SHAPE)
    return keras.Model(inputs, keras.layers.Conv2D(4, 1)(inputs))


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"alpha": 1.5}, "alpha=1.5"),
        ({"alpha": -0.1}, "alpha=-0.1"),
        ({"alpha": float("nan")}, "alpha=nan"),
        ({"distillation": "hrad"}, "distillation='hrad'"),
        ({"teacher": None}, "teacher=None"),
        ({"teacher_output": "softmax"}, "teacher_output='softmax'"),
        ({"teacher": make_teacher(classes=7)}, "4 and a teacher with 7"),
        ({"teacher": make_teacher(shape=(32, 32, 3))}, "images (32, 32, 3)"),
        ({"teacher": make_teacher(shape=(16, 16, 1))}, "images (16, 16, 1)"),
        ({"teacher": make_teacher("sigmoid")}, "logits or probabilities"),
        ({"student": Subclassed(name="mine")}, "Subclassed 'mine'"),
        ({"student": separate_heads(make_student())}, "[(None, 4), (None, 4)]"),
        ({"teacher": two_outputs(list)}, "gives [(None, 4), (None, 4)]. Pass"),
        (
            {"teacher": separate_heads(make_student())},
            "gives {'class': (None, 4), 'distillation': (None, 4)}. Pass",
        ),
        ({"teacher": map_of_classes()}, "gives (None, 16, 16, 4)"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(arguments, named):
    arguments = {"student": make_student(), "teacher": make_teacher(), **arguments}
    with pytest.raises(ValueError, match=re.escape(named)):
        Distiller(**arguments)


def test_a_student_without_a_classifier_is_refused():
    inputs = keras.Input(SHAPE)
    features = keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(inputs))
    with pytest.raises(ValueError, match=r"logits or a softmax.*Received"):
        Distiller(features, make_teacher(classes=3))


def test_a_loss_without_logits_and_loss_weights_are_refused():
    distiller = Distiller(make_student(), make_teacher())
    with pytest.raises(ValueError, match=r"from_logits.*mse"):
        distiller.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"alpha.*loss_weights=\[1\]"):
        distiller.compile("sgd", loss_weights=[1])


@pytest.mark.parametrize(
    ("labels", "named"),
    [
        (None, "Received: images alone"),
        (np.zeros((8, 7), "float32"), "(batch, 4). Received: (8, 7)"),
        (np.zeros((8, 2, 2), "int32"), "Received: (8, 2, 2)"),
    ],
)
def test_labels_that_do_not_fit_are_refused(labels, named):
    distiller = Distiller(make_student(), make_teacher())
    distiller.compile("sgd")
    for step in (distiller.train_on_batch, distiller.test_on_batch):
        with pytest.raises(ValueError, match=re.escape(named)):
            step(make_batch()[0], labels)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("alpha", 0.9),
        ("distillation", "soft"),
        ("teacher", make_teacher()),
        ("teacher_preprocessing", None),
        ("teacher_output", "probabilities"),
        ("student", make_student()),
    ],
)
def test_arguments_cannot_be_changed_afterwards(name, value):
    distiller = Distiller(make_student(), make_teacher())
    before = getattr(distiller, name)
    with pytest.raises(AttributeError, match=rf"`{name}`.*{name}=.*Make a new"):
        setattr(distiller, name, value)
    assert getattr(distiller, name) is before
