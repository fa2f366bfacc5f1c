"""What does not fit is refused with what was expected and what was received."""

import re

import keras
import pytest

from keras_cait import Distiller
from tests.distillation.models import SHAPE, make_student, make_teacher


class Subclassed(keras.Model):
    def call(self, inputs):
        return inputs


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
    ],
)
def test_refuses(arguments, named):
    arguments = {"student": make_student(), "teacher": make_teacher(), **arguments}
    with pytest.raises(ValueError, match=re.escape(named)):
        Distiller(**arguments)


def test_refuses_a_student_without_a_classifier():
    inputs = keras.Input(SHAPE)
    features = keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(inputs))
    with pytest.raises(ValueError, match=r"logits or a softmax.*Received"):
        Distiller(features, make_teacher(classes=3))


def test_refuses_a_loss_that_takes_no_logits_and_loss_weights():
    distiller = Distiller(make_student(), make_teacher())
    with pytest.raises(ValueError, match=r"from_logits.*mse"):
        distiller.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"alpha.*loss_weights=\[1\]"):
        distiller.compile("sgd", loss_weights=[1])
