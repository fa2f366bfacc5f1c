"""The same tests of the layers, and the models' parity, once more on JAX."""

import keras
import pytest

from tests.on_jax import run_on_jax


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="runs on JAX already")
@pytest.mark.parametrize("tests", ["tests/layers", "tests/models/test_parity.py"])
def test_layers_and_parity_on_jax(tests):
    run_on_jax(tests)
