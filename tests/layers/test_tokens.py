import numpy as np
import pytest

from keras_cait.layers import ClassToken, DistillationToken
from tests.support.layer_harness import built, normal, run_layer_checks, to_numpy

TOKENS = [(ClassToken, "class_token"), (DistillationToken, "distillation_token")]


@pytest.mark.parametrize(("make", "name"), TOKENS)
def test_harness(make, name, tmp_path):
    run_layer_checks(make, (5, 4), weights=[name], folder=tmp_path)


@pytest.mark.parametrize(("make", "name"), TOKENS)
def test_the_token_is_first_in_every_sequence(make, name):
    inputs = normal((3, 5, 4))
    layer = built(make, inputs)
    outputs = to_numpy(layer(inputs))
    np.testing.assert_array_equal(outputs[:, 1:], inputs)
    for example in outputs:
        np.testing.assert_array_equal(example[0], to_numpy(layer.weights[0])[0, 0])


def test_published_order_is_class_distillation_patches():
    inputs = normal((2, 5, 4))
    distillation, first = built(DistillationToken, inputs), built(ClassToken, inputs)
    first.token.assign(first.token + 1)
    outputs = to_numpy(first(distillation(inputs)))
    np.testing.assert_array_equal(outputs[0, 0], to_numpy(first.token)[0, 0])
    np.testing.assert_array_equal(outputs[0, 1], to_numpy(distillation.token)[0, 0])


@pytest.mark.parametrize(("make", "name"), TOKENS)
def test_a_token_starts_normal_with_a_standard_deviation_of_0_02(make, name):
    layer = make()
    layer.build((None, 5, 2000))
    assert np.std(to_numpy(layer.token)) == pytest.approx(0.02, rel=0.1)


def test_sequences_of_unknown_length_are_accepted():
    assert ClassToken().compute_output_shape((None, None, 4)) == (None, None, 4)
