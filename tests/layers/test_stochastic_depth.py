import keras
import numpy as np
import pytest

from keras_cait.layers import StochasticDepth
from tests.support.layer_harness import normal, run_layer_checks, to_numpy


def make(**kwargs):
    return StochasticDepth(rate=0.5, **kwargs)


def masks(layer, examples):
    """Which of many examples are kept, `(examples,)`."""
    return to_numpy(layer(np.ones((examples, 1), "float32"), training=True))[:, 0] > 0


def test_harness(tmp_path):
    run_layer_checks(make, (5, 4), weights=[], folder=tmp_path)


@pytest.mark.parametrize("shape", [(64, 4), (64, 5, 4), (64, 2, 3, 4)])
def test_each_example_is_dropped_or_scaled_as_a_whole(shape):
    inputs = normal(shape)
    outputs = to_numpy(StochasticDepth(rate=0.25, seed=0)(inputs, training=True))
    kept = 0
    for found, example in zip(outputs, inputs, strict=True):
        if np.any(found):
            kept += 1
            np.testing.assert_allclose(found, example / 0.75, rtol=1e-6)
    assert 32 < kept < 64


@pytest.mark.parametrize("dtype", ["float32", "mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("rate", [0.01, 0.1, 0.4])
def test_examples_are_dropped_at_the_rate(rate, dtype):
    examples = 40_000
    kept = masks(StochasticDepth(rate=rate, seed=0, dtype=dtype), examples)
    deviation = (rate * (1 - rate) / examples) ** 0.5
    assert np.mean(~kept) == pytest.approx(rate, abs=4 * deviation)


def test_the_expectation_stays_the_same():
    inputs = np.full((40_000, 2), 3.0, "float32")
    outputs = StochasticDepth(rate=0.3, seed=0)(inputs, training=True)
    np.testing.assert_allclose(np.mean(to_numpy(outputs), axis=0), 3, rtol=0.02)


@pytest.mark.parametrize(("rate", "training"), [(0.0, True), (0.9, False), (0.9, None)])
def test_inference_and_rate_0_are_the_identity(rate, training):
    inputs = normal((64, 5, 4))
    outputs = StochasticDepth(rate=rate)(inputs, training=training)
    np.testing.assert_array_equal(to_numpy(outputs), inputs)


def test_a_seed_repeats_the_masks():
    first, second, third = (StochasticDepth(rate=0.5, seed=s) for s in (1, 1, 2))
    drawn = masks(first, 100)
    np.testing.assert_array_equal(masks(second, 100), drawn)
    assert np.any(masks(third, 100) != drawn)
    assert np.any(masks(first, 100) != drawn)  # the next call draws anew


def test_dropped_branches_are_zero_even_if_not_finite():
    inputs = np.full((64, 2), np.inf, "float32")
    outputs = to_numpy(StochasticDepth(rate=0.5, seed=0)(inputs, training=True))
    assert set(np.unique(outputs)) == {0, np.inf}


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="traces a graph")
def test_batches_of_unknown_length_are_accepted():
    import tensorflow as tf

    layer = StochasticDepth(rate=0.5, seed=0)
    run = tf.function(lambda x: layer(x, training=True))
    run = run.get_concrete_function(tf.TensorSpec((None, 5, 4)))
    for batch in (3, 64):
        kept = to_numpy(run(tf.ones((batch, 5, 4)))) > 0
        np.testing.assert_array_equal(kept.all(axis=(1, 2)), kept.any(axis=(1, 2)))


@pytest.mark.parametrize("rate", [-0.1, 1.0, 1.5])
def test_rates_out_of_range_are_refused(rate):
    with pytest.raises(ValueError, match=f"Received: rate={rate}"):
        StochasticDepth(rate=rate)
