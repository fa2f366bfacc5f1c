"""Models of every precision rebuilt in float32."""

import keras
import numpy as np
import pytest

from keras_cait.export.folding.full_precision import in_float32
from tests.support.models.tiny_models import (
    images,
    randomize,
    tiny_cait,
    tiny_deit,
    tiny_regnety,
    to_numpy,
)

# What the policy keeps of a number, as a part of the largest output.
ROUNDING = {"mixed_float16": 2e-3, "mixed_bfloat16": 2e-2, "float16": 4e-3}
MAKERS = [tiny_deit, tiny_cait]
SLOW = pytest.param(tiny_regnety, marks=pytest.mark.slow)


@pytest.fixture
def policy(request):
    keras.config.set_dtype_policy(request.param)
    yield request.param
    keras.config.set_dtype_policy("float32")


def weights(model):
    return [to_numpy(weight).astype("float32") for weight in model.weights]


@pytest.mark.parametrize("make", [*MAKERS, SLOW])
@pytest.mark.parametrize(
    "policy",
    [
        "mixed_float16",
        pytest.param("mixed_bfloat16", marks=pytest.mark.slow),
        pytest.param("float16", marks=pytest.mark.slow),
    ],
    indirect=True,
)
def test_computes_the_same_in_float32(make, policy):
    model = randomize(make(depth=1) if make is not tiny_regnety else make())
    rebuilt = in_float32(model)
    inputs = images(2, *model.input_shape[1:])
    expected, actual = to_numpy(model(inputs)), to_numpy(rebuilt(inputs))
    difference = np.abs(expected.astype("float32") - actual).max()
    assert 0 < difference < ROUNDING[policy] * np.abs(actual).max()
    inside = {
        layer.compute_dtype
        for layer in rebuilt._flatten_layers(include_self=False)
        if not isinstance(layer, keras.layers.InputLayer)  # computes nothing
    }
    assert inside == {"float32"}
    assert {weight.dtype for weight in rebuilt.weights} == {"float32"}
    assert actual.dtype == "float32"
    assert rebuilt.input.dtype == "float32"
    assert [layer.name for layer in rebuilt.layers] == [
        layer.name for layer in model.layers
    ]
    for old, new in zip(weights(model), weights(rebuilt), strict=True):
        np.testing.assert_array_equal(old, new)


def test_leaves_a_model_of_float32_as_it_is():
    model = randomize(tiny_cait(distilled=True, depth=1, include_preprocessing=True))
    before = weights(model)
    rebuilt = in_float32(model)
    inputs = 255 * np.random.default_rng(0).random((2, 32, 32, 3), "float32")
    np.testing.assert_array_equal(to_numpy(model(inputs)), to_numpy(rebuilt(inputs)))
    rebuilt.set_weights([0 * weight for weight in rebuilt.get_weights()])
    for old, new in zip(before, weights(model), strict=True):
        np.testing.assert_array_equal(old, new)


def test_keeps_inputs_and_outputs_by_name():
    inputs = {
        "a": keras.Input((3,), name="a"),
        "b": keras.Input((1,), dtype="int32", name="b"),
    }
    outputs = {"y": keras.layers.Dense(2, dtype="mixed_float16")(inputs["a"])}
    outputs["z"] = keras.layers.Embedding(5, 2)(inputs["b"])
    rebuilt = in_float32(keras.Model(inputs, outputs))
    assert sorted(rebuilt.output) == ["y", "z"]
    assert {name: tensor.dtype for name, tensor in rebuilt.input.items()} == {
        "a": "float32",
        "b": "int32",
    }


def test_rebuilds_models_within_models_and_drops_what_they_were_compiled_with():
    inner = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(3, dtype="mixed_bfloat16")]
    )
    model = keras.Sequential([keras.Input((4,)), inner, keras.layers.Softmax()])
    model.compile(loss=lambda y_true, y_pred: y_pred)  # which no file could hold
    rebuilt = in_float32(model)
    assert not rebuilt.compiled
    inputs = images(2, 4)
    np.testing.assert_allclose(model(inputs), rebuilt(inputs), atol=0.02)
    assert rebuilt.layers[1].layers[-1].compute_dtype == "float32"
    assert rebuilt.name == model.name


class Forgetful(keras.layers.Layer):
    def __init__(self, width):
        super().__init__()
        self.width = width

    def call(self, inputs):
        return inputs * self.width

    def get_config(self):
        return {"name": self.name}


def test_refuses_what_cannot_be_rebuilt():
    inputs = keras.Input((4,))
    with pytest.raises(ValueError, match="a Forgetful, which fails"):
        in_float32(keras.Model(inputs, Forgetful(2)(inputs)))


class Subclassed(keras.Model):
    def call(self, inputs):
        return inputs


@pytest.mark.parametrize("model", [Subclassed(), keras.Sequential(), "deit.keras"])
def test_refuses_what_has_no_graph(model):
    with pytest.raises(ValueError, match=r"Expected a functional keras\.Model"):
        in_float32(model)
