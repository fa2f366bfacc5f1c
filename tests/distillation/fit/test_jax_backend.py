"""The distiller trains on JAX as on TensorFlow."""

import keras
import pytest

from tests.support.on_jax import run_on_jax

FOLDER = "tests/distillation"
TESTS = [
    "fit/test_trajectory.py::test_twenty_steps_equal_torch[False]",
    "fit/test_precision.py::test_half_precision_trains_with_stochastic_depth",
    "fit/test_keras_callbacks.py::test_callbacks_get_the_direction_of_every_logged_value",
    "fit/test_keras_callbacks.py::test_an_interrupted_training_continues",
    "fit/test_keras_fit.py::test_class_weights_equal_sample_weights",
    "test_distiller.py::test_the_teacher_does_not_change",
    "test_distiller.py::test_sample_weight_weighs_examples",
    "test_distiller.py::test_metrics_and_regularizers_of_the_user_are_applied",
    "test_class_loss.py::test_a_loss_trains_as_in_a_keras_model",
    "test_class_loss.py::test_sample_weights_apply_as_in_a_keras_model",
    "test_student_and_teacher.py",
    "test_batch_labels.py::test_given_logits_replace_the_teacher_in_the_same_step[soft]",
]
pytestmark = pytest.mark.skipif(
    keras.backend.backend() == "jax", reason="runs on JAX already"
)


@pytest.mark.slow
def test_the_distiller_trains_on_jax():
    run_on_jax(*(f"{FOLDER}/{test}" for test in TESTS), "-m", "slow or not slow")
