"""Tests of the layers, repeated on JAX."""

import keras
import pytest

from tests.support.on_jax import run_on_jax

pytestmark = pytest.mark.skipif(
    keras.backend.backend() == "jax", reason="runs on JAX already"
)


@pytest.mark.slow  # tests/test_jax_backend.py takes every layer through a model
def test_the_layers_on_jax():
    """The checks of every layer, and the count of operations that only JAX gives."""
    run_on_jax("tests/layers", "-k", "test_harness or test_keeps_less")


@pytest.mark.slow
def test_more_of_the_layers_on_jax():
    run_on_jax("tests/layers", "-k", "not test_harness and not test_keeps_less")
