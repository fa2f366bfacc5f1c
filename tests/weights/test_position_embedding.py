import numpy as np
import pytest

import keras_cait
from keras_cait.weights.position_embedding import (
    resample_grid,
    resample_position_embedding,
)
from tests.models.samples import images, randomise, tiny_cait, tiny_deit, to_numpy
from tests.parity import reference


@pytest.mark.parametrize("size", [(24, 24), (28, 28), (7, 7), (10, 20)])
@pytest.mark.parametrize("antialias", [False, True])
def test_equals_torch(size, antialias):
    numbers = reference.numbers("position_embedding")
    expected = numbers[f"{size[0]}x{size[1]}/antialias={antialias}"][0]
    found = resample_grid(numbers["grid"][0], size, antialias=antialias)
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("num_prefix_tokens", [0, 1, 2])
def test_prefix_tokens_keep_their_values(num_prefix_tokens):
    grid = reference.numbers("position_embedding")["grid"][0]
    prefix = np.full((num_prefix_tokens, 8), 7.0, "float32")
    embedding = np.concatenate([prefix, grid.reshape(-1, 8)])[None]
    found = resample_position_embedding(embedding, (10, 20), num_prefix_tokens)
    assert found.shape == (1, num_prefix_tokens + 200, 8)
    np.testing.assert_array_equal(found[0, :num_prefix_tokens], prefix)
    expected = resample_grid(grid, (10, 20)).reshape(-1, 8)
    np.testing.assert_array_equal(found[0, num_prefix_tokens:], expected)


def test_the_same_size_is_left_alone():
    grid = reference.numbers("position_embedding")["grid"][0]
    np.testing.assert_array_equal(resample_grid(grid, (14, 14)), grid)


@pytest.mark.parametrize(
    ("make", "settings"),
    [(tiny_deit, {}), (tiny_deit, {"distilled": True}), (tiny_cait, {})],
)
def test_a_checkpoint_loads_at_another_size(make, settings, tmp_path):
    source = randomise(make(depth=1, **settings))
    keras_cait.save_timm_weights(source, tmp_path / "model.safetensors")
    model = make(depth=1, input_shape=(24, 48, 3), **settings)
    keras_cait.load_weights(model, tmp_path / "model.safetensors")
    layers = [m.get_layer("position_embedding") for m in (source, model)]
    embeddings = [to_numpy(layer.position_embedding) for layer in layers]
    prefix = layers[0].num_prefix_tokens
    expected = resample_position_embedding(embeddings[0], (3, 6), prefix)
    np.testing.assert_array_equal(embeddings[1], expected)
    assert np.all(np.isfinite(to_numpy(model(images(1, 24, 48, 3)))))


def test_a_grid_that_is_not_square_is_refused(tmp_path):
    source = tiny_deit(depth=1, input_shape=(16, 32, 3))
    keras_cait.save_timm_weights(source, tmp_path / "model.safetensors")
    with pytest.raises(ValueError, match="shape: pos_embed"):
        keras_cait.load_weights(tiny_deit(depth=1), tmp_path / "model.safetensors")
