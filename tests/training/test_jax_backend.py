"""The optimizers step and average on JAX as they do on TensorFlow."""

import keras
import pytest

from tests.support.on_jax import run_on_jax

HERE = "tests/training"


@pytest.mark.slow
@pytest.mark.skipif(keras.backend.backend() == "jax", reason="runs on JAX already")
def test_the_optimizers_on_jax():
    equal = "test_two_batches_to_a_step_equal_one_twice_as_large"
    average = "test_the_average_is_the_formula"
    loaded = "test_the_average_starts_at_weights_loaded_before_the_first_step"
    adamw = "test_adamw_equals_torch_at_small_gradients"
    steps = "test_every_step_of_sgd_is_that_of_one_large_batch"
    run_on_jax(
        f"{HERE}/optimizers/test_accumulation.py::{equal}[adamw-1-float32-1e-06]",
        f"{HERE}/optimizers/test_moving_average.py::{average}[1-1-float32]",
        f"{HERE}/optimizers/test_moving_average.py::{average}[1-2-float32]",
        f"{HERE}/optimizers/test_moving_average.py::{loaded}",
        f"{HERE}/optimizers/test_adamw.py::{adamw}",
        f"{HERE}/optimizers/test_lamb.py::test_lamb_is_the_papers_formula",
        f"{HERE}/optimizers/test_schedules.py::test_an_optimizer_takes_these_rates",
        f"{HERE}/settings/test_optimizer.py::{steps}",
    )
