"""Tests of models and of the distiller's steps, run again on JAX.

In one process, since starting one and importing everything takes as long as the rest.
`make slow` runs more of it, from the files of this name in the folders.
"""

import keras
import pytest

from tests.support.on_jax import run_on_jax

PARITY = "tests/models/test_parity.py"
pytestmark = pytest.mark.skipif(
    keras.backend.backend() == "jax", reason="runs on JAX already"
)


def test_models_and_distiller_on_jax():
    """Of models the outputs, which all that is inside takes part in.

    The convnet is of Keras's own layers, and slow to compile.
    """
    networks = ("deit_distilled", "deit3", "cait")
    run_on_jax(
        *(f"{PARITY}::test_logits[{name}]" for name in networks),
        f"{PARITY}::test_heads[deit_distilled]",
        *(
            "tests/layers/attention/test_implementations.py::test_outputs_and_"
            f"gradients_are_equal[TalkingHeads-shape{index}-False-{implementation}]"
            for index, implementation in enumerate(("blocks", "fused", "kernel"))
        ),
        "tests/distillation/test_distiller.py::"
        "test_a_step_equals_the_formula_written_out",
        "tests/distillation/test_saving.py::test_a_loaded_distiller_is_compiled_and_trains_on",
    )


@pytest.mark.slow
def test_all_of_the_models_numbers_on_jax():
    run_on_jax(PARITY)
