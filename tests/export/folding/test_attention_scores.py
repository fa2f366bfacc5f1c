"""Attention scores of a model stay outputs when it is folded."""

import keras
import numpy as np
import pytest

from keras_cait.export.folding.fold import fold
from keras_cait.export.pipeline.class_attention import with_class_attention
from keras_cait.layers.attention.multi_head import MultiHeadAttention
from keras_cait.visualization import attention_maps
from tests.support.models.tiny_models import (
    images,
    randomize,
    tiny_cait,
    tiny_deit,
    to_numpy,
)


def with_scores(model):
    """A clone that gives predictions, and the scores of each attention layer."""
    found = {}

    def call(layer, *args, **kwargs):
        if not isinstance(layer, MultiHeadAttention):
            return layer(*args, **kwargs)
        outputs, scores = layer(*args, **kwargs, return_attention_scores=True)
        found[layer.name] = scores
        return outputs

    clone = keras.models.clone_model(model, call_function=call)
    clone.set_weights(model.get_weights())
    return keras.Model(clone.input, {"predictions": clone.output, **found})


def maps_of(model):
    """Predictions and class attention as the pipeline makes them."""
    rebuilt, maps = with_class_attention(model)
    return keras.Model(rebuilt.input, {"predictions": rebuilt.output, "maps": maps})


def assert_folds(model, x):
    folded = fold(model)
    found, expected = folded(x), model(x)
    for name, rows in expected.items():
        np.testing.assert_allclose(found[name], to_numpy(rows), atol=1e-5)
    return folded


@pytest.mark.parametrize("family", [tiny_cait, tiny_deit])
def test_scores_of_all_layers_can_be_outputs(family):
    model = randomize(family(depth=2, distilled=True, input_shape=(24, 40, 3)))
    x = images(2, 24, 40, 3)
    found = fold(with_scores(model)).predict_on_batch(x)
    np.testing.assert_allclose(found.pop("predictions"), model(x), atol=1e-5)
    expected = attention_maps(model, x)
    assert found.keys() == expected.keys()
    for name, scores in expected.items():
        np.testing.assert_allclose(found[name], scores, atol=1e-6)


def test_only_the_query_of_the_class_token_is_computed():
    model = randomize(tiny_deit(depth=2, distilled=True))
    folded = assert_folds(maps_of(model), images(2, 32, 32, 3))
    first, last = (folded.get_layer(f"block_{n}_attention") for n in range(2))
    assert (first.score_rows, last.score_rows, last.num_queries) == (1, 1, 2)
    assert last.output[0].shape == (None, 2, 32)
    assert last.output[1].shape == (None, 4, 1, 18)


@pytest.mark.parametrize(
    "add", [maps_of, pytest.param(with_scores, marks=pytest.mark.slow)]
)
def test_long_sequences_go_block_by_block(add):
    model = randomize(tiny_deit(depth=2, input_shape=(264, 288, 3)))  # 1,188 patches
    assert_folds(add(model), images(1, 264, 288, 3))


def test_a_folded_model_with_scores_can_be_saved_and_loaded(tmp_path):
    folded = fold(maps_of(randomize(tiny_cait(depth=1))))
    folded.save(tmp_path / "folded.keras")
    loaded = keras.saving.load_model(tmp_path / "folded.keras")
    x = images(2, 32, 32, 3)
    for name, rows in folded(x).items():
        np.testing.assert_array_equal(loaded(x)[name], rows)
