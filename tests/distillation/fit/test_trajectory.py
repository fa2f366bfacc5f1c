"""Twenty AdamW steps equal those of torch and timm."""

import keras
import numpy as np
import pytest

import keras_cait
from keras_cait.training.optimizers.adamw import AdamW
from tests.support import reference
from tests.support.models.tiny_models import tiny_cait, tiny_deit


def losses_of(distiller, numbers, before_step=lambda step: None, **options):
    """The loss of each of the recorded steps."""
    distiller.compile(AdamW(1e-3, weight_decay=0.05), **options)
    losses = []
    batches = zip(numbers["images_nhwc"], numbers["targets"], strict=True)
    for step, (images, targets) in enumerate(batches):
        before_step(step)
        distiller.reset_metrics()
        log = distiller.train_on_batch(images, targets, return_dict=True)
        losses.append(log["loss"])
    return losses


@pytest.mark.parametrize(
    "jit_compile", [False, pytest.param(True, marks=pytest.mark.slow)]
)
def test_twenty_steps_equal_torch(jit_compile):
    numbers = reference.numbers("trajectory_deit_distilled")
    student = tiny_deit(distilled=True, classifier_activation=None)
    keras_cait.load_weights(student, reference.weights("trajectory_deit_distilled"))
    # A linear teacher, fitted at each step to give the recorded logits.
    teacher = keras.Sequential(
        [keras.Input((32, 32, 3)), keras.layers.Flatten(), keras.layers.Dense(10)]
    )

    def solve(step):
        images = numbers["images_nhwc"][step]
        inputs = np.c_[images.reshape(8, -1), np.ones(8)].astype("float64")
        solution = np.linalg.pinv(inputs) @ numbers["teacher_logits"][step]
        teacher.layers[-1].set_weights([solution[:-1], solution[-1]])

    distiller = keras_cait.Distiller(student, teacher, "hard", 0.5)
    losses = losses_of(distiller, numbers, solve, jit_compile=jit_compile)
    np.testing.assert_allclose(losses, numbers["loss"], rtol=2e-5)
    found = student.predict_on_batch(numbers["images_nhwc"][0])
    largest = np.abs(numbers["final_logits"]).max()
    np.testing.assert_allclose(found, numbers["final_logits"], atol=1e-4 * largest)


@pytest.mark.slow
def test_twenty_steps_of_cait_equal_torch():
    """Without a teacher `Distiller` trains a classifier."""
    numbers = reference.numbers("trajectory_cait")
    model = tiny_cait(classifier_activation=None)
    keras_cait.load_weights(model, reference.weights("trajectory_cait"))
    distiller = keras_cait.Distiller(model, distillation="none")
    losses = losses_of(distiller, numbers)
    np.testing.assert_allclose(losses, numbers["loss"], rtol=2e-4)
