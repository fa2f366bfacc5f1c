"""The same tests of the layers, and the models' parity, once more on JAX."""

import keras
import pytest

from tests.on_jax import run_on_jax

pytestmark = pytest.mark.skipif(
    keras.backend.backend() == "jax", reason="runs on JAX already"
)


@pytest.mark.slow  # parity below takes every layer through a model
def test_the_layers_on_jax():
    """What every layer must do, and what can be counted on JAX alone."""
    run_on_jax("tests/layers", "-k", "test_harness or test_keeps_less")


@pytest.mark.slow
def test_more_of_the_layers_on_jax():
    run_on_jax("tests/layers", "-k", "not test_harness and not test_keeps_less")


# The convnet is of Keras's own layers, and slow to compile.


def test_parity_on_jax():
    """Of the outputs, which all that is inside takes part in."""
    outputs = "(test_logits or test_heads) and not regnety and not rect"
    run_on_jax("tests/models/test_parity.py", "-k", outputs)


@pytest.mark.slow
def test_more_parity_on_jax():
    rest = "(test_tokens or test_attention or rect) and not regnety"
    run_on_jax("tests/models/test_parity.py", "-k", rest)
