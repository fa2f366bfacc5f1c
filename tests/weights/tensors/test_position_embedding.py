"""Position embeddings of other image sizes."""

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import keras_cait
from keras_cait.weights.tensors.position_embedding import (
    resample_grid,
    resample_position_embedding,
)
from tests.support import reference
from tests.support.models.tiny_models import (
    images,
    randomize,
    tiny_cait,
    tiny_deit,
    to_numpy,
)

# Files without metadata; see tests/weights/metadata/test_source_metadata.py.
pytestmark = pytest.mark.filterwarnings("ignore:.* does not state the mean and std")


@pytest.mark.parametrize("size", [(24, 24), (28, 28), (7, 7), (10, 20)])
@pytest.mark.parametrize("antialias", [False, True])
def test_resampled_grids_equal_torch(size, antialias):
    numbers = reference.numbers("position_embedding")
    expected = numbers[f"{size[0]}x{size[1]}/antialias={antialias}"][0]
    found = resample_grid(numbers["grid"][0], size, antialias=antialias)
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("num_prefix_tokens", [0, 1, 2])
def test_prefix_tokens_keep_their_values(num_prefix_tokens):
    grid = reference.numbers("position_embedding")["grid"][0]
    prefix = np.full((num_prefix_tokens, 8), 7.0, "float32")
    embedding = np.concatenate([prefix, grid.reshape(-1, 8)])[None]
    found = resample_position_embedding(
        embedding, (14, 14), (10, 20), num_prefix_tokens
    )
    assert found.shape == (1, num_prefix_tokens + 200, 8)
    np.testing.assert_array_equal(found[0, :num_prefix_tokens], prefix)
    expected = resample_grid(grid, (10, 20)).reshape(-1, 8)
    np.testing.assert_array_equal(found[0, num_prefix_tokens:], expected)


def test_the_same_size_is_unchanged():
    grid = reference.numbers("position_embedding")["grid"][0]
    np.testing.assert_array_equal(resample_grid(grid, (14, 14)), grid)


@pytest.mark.parametrize(
    ("make", "settings"),
    [(tiny_deit, {}), (tiny_deit, {"distilled": True}), (tiny_cait, {})],
)
def test_a_checkpoint_loads_at_another_size(make, settings, tmp_path):
    source = randomize(make(depth=1, **settings))
    keras_cait.save_timm_weights(source, tmp_path / "model.safetensors")
    model = make(depth=1, input_shape=(24, 48, 3), **settings)
    keras_cait.load_weights(model, tmp_path / "model.safetensors")
    layers = [m.get_layer("position_embedding") for m in (source, model)]
    embeddings = [to_numpy(layer.position_embedding) for layer in layers]
    prefix = layers[0].num_prefix_tokens
    expected = resample_position_embedding(embeddings[0], (4, 4), (3, 6), prefix)
    np.testing.assert_array_equal(embeddings[1], expected)
    assert np.all(np.isfinite(to_numpy(model(images(1, 24, 48, 3)))))


def test_antialias_selects_the_smoothed_form(tmp_path):
    source = randomize(tiny_cait(depth=1))
    keras_cait.save_timm_weights(source, tmp_path / "model.safetensors")
    found = []
    for antialias in (False, True):
        model = tiny_cait(depth=1, input_shape=(16, 16, 3))
        path = tmp_path / "model.safetensors"
        keras_cait.load_weights(model, path, antialias=antialias)
        found.append(to_numpy(model.get_layer("position_embedding").position_embedding))
    grid = to_numpy(source.get_layer("position_embedding").position_embedding)
    grid = grid.reshape(4, 4, -1)
    for value, antialias in zip(found, (False, True), strict=True):
        expected = resample_grid(grid, (2, 2), antialias=antialias).reshape(1, 4, -1)
        np.testing.assert_array_equal(value, expected)
    assert not np.allclose(*found)


def test_our_files_state_a_rectangular_grid(tmp_path):
    source = randomize(tiny_deit(depth=1, input_shape=(16, 64, 3)))
    path = tmp_path / "model.safetensors"
    keras_cait.save_timm_weights(source, path)
    same = keras_cait.load_weights(tiny_deit(depth=1, input_shape=(16, 64, 3)), path)
    expected = to_numpy(source.get_layer("position_embedding").position_embedding)
    found = to_numpy(same.get_layer("position_embedding").position_embedding)
    np.testing.assert_array_equal(found, expected)
    # As many tokens, but of another grid.
    square = keras_cait.load_weights(tiny_deit(depth=1), path)
    found = to_numpy(square.get_layer("position_embedding").position_embedding)
    grid = resample_grid(expected[0, 1:].reshape(2, 8, -1), (4, 4))
    np.testing.assert_array_equal(found[0, 1:], grid.reshape(16, -1))


def test_a_file_without_a_grid_is_taken_as_square(tmp_path):
    source = randomize(tiny_cait(depth=1))
    keras_cait.save_timm_weights(source, tmp_path / "model.safetensors")
    tensors = load_file(tmp_path / "model.safetensors")
    save_file(tensors, tmp_path / "theirs.safetensors")
    model = tiny_cait(depth=1, input_shape=(16, 64, 3))
    keras_cait.load_weights(model, tmp_path / "theirs.safetensors")
    found = to_numpy(model.get_layer("position_embedding").position_embedding)
    grid = resample_grid(tensors["pos_embed"].reshape(4, 4, -1), (2, 8))
    np.testing.assert_array_equal(found, grid.reshape(1, 16, -1))
