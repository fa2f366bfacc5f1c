"""Blocks of queries take less memory than whole maps."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from keras_cait.layers import TalkingHeads
from keras_cait.processors import peak_memory_mb
from tests.support.layer_harness import built, normal
from tests.support.layer_steps import outputs_and_gradients

TOKENS = 2304


def added_mb(implementation):
    """Peak memory that a training step adds to that of the process, in MB."""
    inputs = normal((1, TOKENS, 96))
    layer = built(
        TalkingHeads, inputs[:, :8], num_heads=4, implementation=implementation
    )
    outputs_and_gradients(layer, inputs[:, :8])  # what TensorFlow or JAX needs itself
    before = peak_memory_mb()
    outputs_and_gradients(layer, inputs)
    return peak_memory_mb() - before


@pytest.mark.slow
def test_a_training_step_in_blocks_takes_half_of_the_memory():
    added = {}
    for implementation in ("plain", "blocks"):
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
            added[implementation] = process.submit(added_mb, implementation).result()
    map_mb = 4 * TOKENS**2 * 4 / 1e6  # of one map, `(heads, tokens, tokens)` in float32
    assert added["plain"] > 3 * map_mb
    assert added["blocks"] < 0.5 * added["plain"]
