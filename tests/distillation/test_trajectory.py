"""Twenty AdamW steps follow the ones that torch and timm took."""

import keras
import numpy as np
import pytest

import keras_cait
from keras_cait.training.optimizers import AdamW
from tests.parity import reference


@pytest.mark.parametrize("jit_compile", [False, True])
def test_twenty_steps_equal_torch(jit_compile):
    numbers = reference.numbers("trajectory_deit_distilled")
    student = keras_cait.DeiT(
        input_shape=(32, 32, 3),
        patch_size=8,
        embed_dim=32,
        depth=3,
        num_heads=4,
        classes=10,
        distilled=True,
        classifier_activation=None,
    )
    keras_cait.load_weights(student, reference.weights("trajectory_deit_distilled"))
    # A linear teacher, solved anew each step to say just what was recorded.
    teacher = keras.Sequential(
        [keras.Input((32, 32, 3)), keras.layers.Flatten(), keras.layers.Dense(10)]
    )
    distiller = keras_cait.Distiller(student, teacher, "hard", 0.5)
    distiller.compile(AdamW(1e-3, weight_decay=0.05), jit_compile=jit_compile)
    losses = []
    steps = (numbers[k] for k in ("images_nhwc", "targets", "teacher_logits"))
    for images, targets, logits in zip(*steps, strict=True):
        inputs = np.c_[images.reshape(8, -1), np.ones(8)].astype("float64")
        solution = np.linalg.pinv(inputs) @ logits
        teacher.layers[-1].set_weights([solution[:-1], solution[-1]])
        distiller.reset_metrics()
        log = distiller.train_on_batch(images, targets, return_dict=True)
        losses.append(log["loss"])
    np.testing.assert_allclose(losses, numbers["loss"], rtol=2e-5)
    found = student.predict_on_batch(numbers["images_nhwc"][0])
    largest = np.abs(numbers["final_logits"]).max()
    np.testing.assert_allclose(found, numbers["final_logits"], atol=1e-4 * largest)


def test_twenty_steps_of_cait_equal_torch():
    """Without a teacher: `Distiller` is a trainer of classifiers then."""
    numbers = reference.numbers("trajectory_cait")
    model = keras_cait.CaiT(
        input_shape=(32, 32, 3),
        patch_size=8,
        embed_dim=32,
        depth=3,
        num_heads=4,
        classes=10,
        classifier_activation=None,
    )
    keras_cait.load_weights(model, reference.weights("trajectory_cait"))
    distiller = keras_cait.Distiller(model, distillation="none")
    distiller.compile(AdamW(1e-3, weight_decay=0.05))
    losses = []
    for images, targets in zip(numbers["images_nhwc"], numbers["targets"], strict=True):
        distiller.reset_metrics()
        log = distiller.train_on_batch(images, targets, return_dict=True)
        losses.append(log["loss"])
    np.testing.assert_allclose(losses, numbers["loss"], rtol=2e-4)
