"""The argument of the builders that chooses how attention is computed."""

import keras
import numpy as np
import pytest

import keras_cait
from keras_cait.layers.attention.multi_head import MultiHeadAttention
from tests.support.models.tiny_models import (
    images,
    randomize,
    tiny_cait,
    tiny_deit,
    tiny_deit3,
    to_numpy,
)

LARGE = {"input_shape": (120, 112, 3), "classifier_activation": None}  # 210 patches


@pytest.mark.parametrize("family", [tiny_cait, tiny_deit, tiny_deit3])
@pytest.mark.parametrize("implementation", ["blocks", "fused"])
def test_it_reaches_every_attention_and_changes_no_number(
    family, implementation, tmp_path
):
    plain = randomize(family(**LARGE, attention_implementation="plain"))
    model = family(**LARGE, attention_implementation=implementation)
    model.set_weights(plain.get_weights())
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    layers = [x for x in loaded.layers if isinstance(x, MultiHeadAttention)]
    assert {layer.implementation for layer in layers} == {implementation}
    x = images(2, 120, 112, 3)
    expected = to_numpy(plain(x))
    for each in (model, loaded):
        atol = 1e-5 * np.abs(expected).max()
        np.testing.assert_allclose(to_numpy(each(x)), expected, rtol=0, atol=atol)


def test_published_variants_have_it():
    model = keras_cait.CaiT_XXS24(
        weights=None, input_shape=(32, 32, 3), attention_implementation="fused"
    )
    assert model.get_layer("block_23_attention").implementation == "fused"
    assert model.get_layer("class_block_1_attention").implementation == "fused"
    with pytest.raises(ValueError, match="implementation='flash'"):
        tiny_deit(attention_implementation="flash")
