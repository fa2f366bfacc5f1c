import keras
import numpy as np
import pytest

from keras_cait.layers import PatchEmbedding
from tests.support.layer_harness import (
    assert_close,
    built,
    normal,
    run_layer_checks,
    to_numpy,
)


def make(**kwargs):
    return PatchEmbedding(patch_size=4, embed_dim=6, **kwargs)


def test_harness(tmp_path):
    weights = ["kernel", "bias"]
    run_layer_checks(make, (8, 12, 3), weights=weights, folder=tmp_path)


def test_a_token_is_one_matrix_product_of_its_patch():
    images = normal((2, 8, 12, 3))
    layer = built(make, images)
    # (batch, rows, 4, columns, 4, channels) -> (batch, rows * columns, 48)
    patches = images.reshape(2, 2, 4, 3, 4, 3).transpose(0, 1, 3, 2, 4, 5)
    patches = patches.reshape(2, 6, 48)
    expected = patches @ to_numpy(layer.kernel).reshape(48, 6) + to_numpy(layer.bias)
    assert_close(layer(images), expected, 1e-6)


def test_patches_are_numbered_row_by_row():
    images = np.zeros((1, 8, 12, 1), "float32")
    images[0, 4:, :4] = 1  # second row, first column
    tokens = to_numpy(built(make, images)(images))[0]
    different = np.any(tokens != tokens[0], axis=-1)
    assert np.flatnonzero(different).tolist() == [3]


def test_weights_start_uniform_within_the_fan_in():
    layer = PatchEmbedding(patch_size=4, embed_dim=64)
    layer.build((None, 8, 8, 3))
    bound = (4 * 4 * 3) ** -0.5
    for weight in layer.weights:
        value = to_numpy(weight)
        assert 0.9 * bound < np.max(np.abs(value)) <= bound
        assert np.std(value) == pytest.approx(bound / 3**0.5, rel=0.2)


def test_the_global_data_format_changes_nothing():
    images = normal((2, 8, 12, 3))
    layer = built(make, images)
    expected = to_numpy(layer(images))
    keras.config.set_image_data_format("channels_first")
    try:
        np.testing.assert_array_equal(to_numpy(layer(images)), expected)
    finally:
        keras.config.set_image_data_format("channels_last")


@pytest.mark.parametrize("argument", ["patch_size", "embed_dim"])
def test_sizes_below_1_are_refused(argument):
    with pytest.raises(ValueError, match=f"Received: {argument}=0"):
        PatchEmbedding(**{"patch_size": 4, "embed_dim": 6, argument: 0})


@pytest.mark.parametrize(
    "shape",
    [(2, 9, 12, 3), (2, 8, 13, 3), (8, 12, 3), (2, None, 12, 3), (2, 8, 8, None)],
)
def test_images_that_do_not_fit_are_refused(shape):
    for method in (make().build, make().compute_output_shape):
        with pytest.raises(ValueError, match="Received: input_shape=") as error:
            method(shape)
        assert str(shape) in str(error.value)


def test_another_size_than_the_built_one_is_refused():
    layer = built(make, normal((1, 8, 12, 3)))
    with pytest.raises(ValueError, match=r"input_shape=\(1, 9, 12, 3\), patch_size=4"):
        layer(normal((1, 9, 12, 3)))
