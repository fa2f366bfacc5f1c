"""The same tests of the layers, and the models' parity, once more on JAX."""

import keras
import pytest

from tests.on_jax import run_on_jax


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="runs on JAX already")
def test_the_layers_on_jax():
    run_on_jax("tests/layers")


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="runs on JAX already")
def test_parity_on_jax():
    # The convnet is of Keras's own layers, and slow to compile.
    run_on_jax("tests/models/test_parity.py", "-k", "not regnety")
