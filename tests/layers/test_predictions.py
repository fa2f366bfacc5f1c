import keras
import numpy as np

from keras_cait.layers import Predictions
from tests.support.layer_harness import normal, run_layer_checks, to_numpy


def make(**kwargs):
    return Predictions("softmax", class_names=("a", "b", "c"), **kwargs)


def test_harness(tmp_path):
    run_layer_checks(make, (3,), weights=[], folder=tmp_path)


def test_the_output_is_the_activation():
    logits = normal((4, 3))
    expected = to_numpy(keras.activations.softmax(logits))
    np.testing.assert_array_equal(to_numpy(make()(logits)), expected)
    np.testing.assert_array_equal(to_numpy(Predictions()(logits)), logits)
