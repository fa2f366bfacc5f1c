"""What this package computes, once more on JAX: models, and the distiller's steps.

In one process, since starting one and importing everything takes as long as the rest.
`make slow` runs more of it, from the files of this name in the folders.
"""

import keras
import pytest

from tests.on_jax import run_on_jax


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="runs on JAX already")
def test_models_and_distiller_on_jax():
    """Of models the outputs, which all that is inside takes part in.

    The convnet is of Keras's own layers, and slow to compile.
    """
    outputs = "(test_logits or test_heads) and not regnety and not rect"
    steps = (
        "test_a_step_equals_the_formula_written_out "
        "or (test_trains_with_stochastic_depth and mixed_float16) "
        "or test_reloaded_it_is_compiled_and_trains_on"
    )
    files = ("test_distiller", "test_precision", "test_saving")
    run_on_jax(
        "tests/models/test_parity.py",
        *(f"tests/distillation/{name}.py" for name in files),
        "-k",
        f"({outputs}) or {steps}",
    )
