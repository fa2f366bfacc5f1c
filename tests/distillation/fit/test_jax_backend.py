"""The distiller trains on JAX as it does on TensorFlow."""

import keras
import pytest

from tests.support.on_jax import run_on_jax

HERE = "tests/distillation"
pytestmark = pytest.mark.skipif(
    keras.backend.backend() == "jax", reason="runs on JAX already"
)


@pytest.mark.slow
def test_more_of_the_distiller_on_jax():
    precision = "test_trains_with_stochastic_depth"
    run_on_jax(
        f"{HERE}/test_trajectory.py::test_twenty_steps_equal_torch[False]",
        f"{HERE}/test_distiller.py::test_nothing_of_the_teacher_changes",
        f"{HERE}/test_distiller.py::test_sample_weight_weighs_examples",
        f"{HERE}/test_distiller.py::test_metrics_and_regularizers_of_the_user_count",
        f"{HERE}/test_precision.py::{precision}",
        f"{HERE}/test_class_losses.py::test_trains_as_in_a_keras_model",
        f"{HERE}/test_class_losses.py::test_weights_of_examples_count_as_in_a_keras_model",
        f"{HERE}/test_keras_callbacks.py::test_the_direction_of_everything_logged_is_known",
        f"{HERE}/test_keras_callbacks.py::test_an_interrupted_training_goes_on",
        f"{HERE}/test_keras_fit.py::test_weights_of_classes_are_weights_of_examples",
        f"{HERE}/test_teachers.py",
        f"{HERE}/test_targets.py::"
        "test_a_step_is_the_same_and_the_teacher_is_not_asked[soft]",
        *("-m", "slow or not slow"),
    )
