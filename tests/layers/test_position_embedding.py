import numpy as np
import pytest

from keras_cait.layers import PositionEmbedding
from tests.support.layer_harness import built, normal, run_layer_checks, to_numpy


def make(**kwargs):
    return PositionEmbedding(grid_size=(2, 3), num_prefix_tokens=1, **kwargs)


def test_harness(tmp_path):
    weights = ["position_embedding"]
    run_layer_checks(make, (7, 4), weights=weights, folder=tmp_path)


def test_every_example_gets_one_vector_a_token():
    inputs = normal((3, 7, 4))
    layer = built(make, inputs)
    added = to_numpy(layer(inputs)) - inputs
    expected = np.broadcast_to(to_numpy(layer.position_embedding), added.shape)
    np.testing.assert_allclose(added, expected, atol=1e-6)


def test_the_default_has_no_prefix():
    layer = PositionEmbedding(grid_size=(2, 3))
    assert layer(normal((1, 6, 4))).shape == (1, 6, 4)


def test_vectors_start_normal_with_a_standard_deviation_of_0_02():
    layer = PositionEmbedding(grid_size=(10, 10))
    layer.build((None, 100, 32))
    assert np.std(to_numpy(layer.position_embedding)) == pytest.approx(0.02, rel=0.1)


@pytest.mark.parametrize("grid_size", [(0, 3), (2, -1), (2, 3, 4), (2,)])
def test_grids_out_of_range_are_refused(grid_size):
    with pytest.raises(ValueError, match="Received: grid_size=") as error:
        PositionEmbedding(grid_size=grid_size)
    assert str(grid_size) in str(error.value)


def test_a_negative_prefix_is_refused():
    with pytest.raises(ValueError, match=r"Received: .*num_prefix_tokens=-1"):
        PositionEmbedding(grid_size=(2, 3), num_prefix_tokens=-1)


@pytest.mark.parametrize("shape", [(2, 6, 4), (2, None, 4), (7, 4), (2, 1, 7, 4)])
def test_sequences_that_do_not_fit_are_refused(shape):
    with pytest.raises(ValueError, match=r"\(batch, 7, dim\).*Received") as error:
        make().build(shape)
    assert str(shape) in str(error.value)
