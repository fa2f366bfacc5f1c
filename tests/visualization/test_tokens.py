"""Cosine between class and distillation token."""

import keras
import numpy as np
import pytest

from keras_cait.visualization import draw_token_cosines, token_cosines
from tests.support.models.tiny_models import (
    images,
    loaded_anew,
    randomize,
    tiny_cait,
    tiny_deit,
    to_numpy,
)


def cosine(first, second):
    norms = np.linalg.norm(first, axis=-1) * np.linalg.norm(second, axis=-1)
    return (first * second).sum(-1) / norms


def test_the_first_is_of_the_learned_tokens_and_the_last_of_the_last_block():
    model = randomize(tiny_deit(distilled=True))
    x = images(5, 32, 32, 3)
    found = token_cosines(model, x)
    assert found.shape == (4, 5)
    tokens = [
        to_numpy(model.get_layer(f"{name}_token").token)[0, 0]
        for name in ("class", "distillation")
    ]
    positions = to_numpy(model.get_layer("position_embedding").position_embedding)[0]
    expected = cosine(tokens[0] + positions[0], tokens[1] + positions[1])
    np.testing.assert_allclose(found[0], expected, rtol=1e-5)
    last = keras.Model(model.input, model.get_layer("block_2_add2").output)(x)
    expected = cosine(*np.moveaxis(to_numpy(last)[:, :2], 1, 0))
    np.testing.assert_allclose(found[-1], expected, rtol=1e-4)


def test_of_cait_the_blocks_are_those_of_class_attention():
    model = randomize(tiny_cait(distilled=True))
    found = token_cosines(model, images(2, 32, 32, 3))
    assert found.shape == (3, 2)
    assert abs(found).max() <= 1 + 1e-9
    (line,) = draw_token_cosines(found).axes[0].lines
    np.testing.assert_allclose(line.get_ydata(), found.mean(1))


@pytest.mark.parametrize("make", [tiny_cait, tiny_deit])
def test_of_a_model_from_a_file(make, tmp_path):
    model = loaded_anew(lambda: make(distilled=True, depth=1), tmp_path / "a.keras")
    assert token_cosines(model, images(2, 32, 32, 3)).shape[1] == 2


def test_equal_tokens_have_cosine_1():
    model = randomize(tiny_cait(distilled=True))
    token = model.get_layer("class_token").token
    model.get_layer("distillation_token").token.assign(token)
    np.testing.assert_allclose(token_cosines(model, images(2, 32, 32, 3)), 1, rtol=1e-6)


def test_a_model_without_a_distillation_token_is_refused():
    with pytest.raises(ValueError, match=r"distilled=True.*Received: 'deit"):
        token_cosines(tiny_deit(), images(1, 32, 32, 3))
