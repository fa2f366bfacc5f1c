"""Files whose head or distillation token differs from the model's."""

import warnings

import keras
import numpy as np
import pytest

import keras_cait
from tests.support.models.tiny_models import (
    images,
    randomize,
    tiny_cait,
    tiny_deit,
    to_numpy,
)
from tests.support.weights.weight_checks import (
    assert_equal_weights,
    load_fails,
    weight_values,
    write_weights,
)

SUFFIXES = pytest.mark.parametrize("suffix", [".safetensors", ".weights.h5", ".keras"])


def without_heads(model):
    return {
        path: value
        for path, value in weight_values(model).items()
        if "head" not in path
    }


@SUFFIXES
@pytest.mark.parametrize("distilled", [False, True])
def test_a_new_head_keeps_its_values_with_one_warning(suffix, distilled, tmp_path):
    source = randomize(tiny_deit(distilled=distilled))
    path = write_weights(source, tmp_path / f"model{suffix}")
    model = tiny_deit(distilled=distilled, classes=7)
    heads = [layer for layer in model.layers if layer.name.startswith("head")]
    before = [head.get_weights() for head in heads]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        keras_cait.load_weights(model, path, new_head=True)
    (message,) = (str(w.message) for w in caught if w.category is UserWarning)
    assert message.startswith("the model has 7 classes, the file 10: ")
    assert str(path) in message
    for head, start in zip(heads, before, strict=True):
        for found, expected in zip(head.get_weights(), start, strict=True):
            np.testing.assert_array_equal(found, expected)
    found, expected = without_heads(model), without_heads(source)
    for value, other in zip(found.values(), expected.values(), strict=True):
        np.testing.assert_array_equal(value, other)


@SUFFIXES
def test_a_head_for_the_same_classes_loads_without_a_warning(suffix, tmp_path):
    source = randomize(tiny_deit())
    path = write_weights(source, tmp_path / f"model{suffix}")
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        model = keras_cait.load_weights(tiny_deit(), path, new_head=True)
    assert_equal_weights(model, weight_values(source))


@SUFFIXES
def test_a_model_without_a_head_loads_everything_else(suffix, tmp_path):
    source = randomize(tiny_deit(distilled=True))
    path = write_weights(source, tmp_path / f"model{suffix}")
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        model = tiny_deit(distilled=True, include_top=False)
        keras_cait.load_weights(model, path)
    x = images(2, 32, 32, 3)
    expected = keras.Model(source.input, source.get_layer("norm").output)(x)
    np.testing.assert_allclose(to_numpy(model(x)), to_numpy(expected), atol=1e-6)


def test_a_distilled_cait_loads_a_file_without_a_distillation_token(tmp_path):
    source = randomize(tiny_cait())
    path = write_weights(source, tmp_path / "model.safetensors")
    model = tiny_cait(distilled=True)
    with load_fails(model, "missing: dist_token"):
        keras_cait.load_weights(model, path)
    with pytest.warns(UserWarning, match="the file has no distillation token: dist_to"):
        keras_cait.load_weights(model, path, new_head=True)
    for name in ("class_token", "head", "norm", "class_block_1_attention"):
        layers = model.get_layer(name), source.get_layer(name)
        for found, expected in zip(*(x.get_weights() for x in layers), strict=True):
            np.testing.assert_array_equal(found, expected)


def test_only_a_head_may_differ(tmp_path):
    path = write_weights(randomize(tiny_deit(depth=2)), tmp_path / "model.safetensors")
    model = tiny_deit(classes=7)
    with (
        warnings.catch_warnings(),
        load_fails(model, "missing: blocks.2.norm1.weight"),
    ):
        warnings.simplefilter("error", UserWarning)
        keras_cait.load_weights(model, path, new_head=True)


def test_without_new_head_other_classes_are_refused(tmp_path):
    path = write_weights(randomize(tiny_deit()), tmp_path / "model.safetensors")
    model = tiny_deit(classes=7)
    with load_fails(model, "shape: head.weight should be (7, 32) but is (10, 32)"):
        keras_cait.load_weights(model, path)
