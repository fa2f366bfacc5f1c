"""Each output of a prepared model is what Keras computes."""

import keras
import numpy as np
import pytest

from keras_cait.export.folding.folded_attention import FoldedAttention
from keras_cait.export.pipeline.outputs import OUTPUTS, check_outputs
from keras_cait.export.pipeline.preparation import prepare
from tests.support.export.expected_outputs import (
    assert_equal_outputs,
    expected_outputs,
)
from tests.support.export.samples import plausible
from tests.support.models.tiny_models import (
    images,
    loaded_anew,
    tiny_cait,
    tiny_deit,
    tiny_deit3,
    tiny_regnety,
)

RECTANGLE = {"input_shape": (24, 40, 3)}
MODELS = {
    "cait": (tiny_cait, {"class_attention_depth": 2, **RECTANGLE}),
    "cait, one class block": (tiny_cait, {"class_attention_depth": 1, "depth": 1}),
    "cait, distilled": (tiny_cait, {"distilled": True, "depth": 1, **RECTANGLE}),
    "deit": (tiny_deit, {"classifier_activation": None}),
    "deit, distilled": (tiny_deit, {"distilled": True, **RECTANGLE}),
    "deit3": (tiny_deit3, RECTANGLE),
    "one head": (tiny_deit, {"num_heads": 1, "depth": 1}),
}


QUICK = ("cait, distilled", "deit, distilled")
CASES = [
    pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow)
    for name in MODELS
]


def made(name):
    family, settings = MODELS[name]
    return plausible(family(**settings))


@pytest.mark.parametrize("name", CASES)
def test_outputs_equal_those_of_the_public_functions(name):
    model = made(name)
    x = images(3, *model.input_shape[1:])
    expected = expected_outputs(model, x)
    with_heads = "class_logits" in expected
    outputs = [each for each in OUTPUTS if with_heads or each != "heads"]
    prepared = prepare(model, outputs=outputs)
    assert_equal_outputs(prepared.predict(x), expected, 1e-5)
    assert_equal_outputs(prepared.model.predict_on_batch(x), expected, 1e-5)
    maps = prepared.class_attention
    assert maps is not None
    assert expected["class_attention"].shape[1] == maps.blocks * maps.heads


@pytest.mark.parametrize(
    "name", ["cait, distilled", pytest.param("deit, distilled", marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("output", OUTPUTS)
def test_each_output_alone_needs_only_its_own_layers(name, output):
    model = made(name)
    x = images(2, *model.input_shape[1:])
    prepared = prepare(model, outputs=[output])
    expected = expected_outputs(model, x)
    wanted = {tensor: expected[tensor] for tensor in prepared.outputs}
    assert_equal_outputs(prepared.predict(x), wanted, 1e-5)
    assert_equal_outputs(prepared.model.predict_on_batch(x), wanted, 1e-5)
    layers = {layer.name for layer in prepared.model.layers}
    assert ("norm" in layers) == (output != "class_attention")
    assert ("head" in layers) == (output not in ("class_attention", "features"))


def test_the_default_computes_no_scores():
    model = made("cait, distilled")
    prepared = prepare(model)
    assert prepared.outputs == ("probabilities",)
    assert prepared.class_attention is None
    layers = prepared.model.layers
    attention = [row for row in layers if isinstance(row, FoldedAttention)]
    assert [row.score_rows for row in attention] == [0, 0, 0]


def test_the_order_of_the_outputs_is_that_of_the_names():
    outputs = ["class_attention", "heads", "probabilities"]
    prepared = prepare(made("deit, distilled"), outputs=outputs)
    names = ["class_attention", "class_logits", "distillation_logits", "probabilities"]
    assert list(prepared.outputs) == names
    assert list(prepared.predict(images(1, 24, 40, 3))) == names


def test_outputs_of_a_model_from_a_file(tmp_path):
    path = tmp_path / "a.keras"
    model = loaded_anew(lambda: made("cait, distilled"), path)
    prepared = prepare(model, outputs=OUTPUTS)
    x = images(2, *model.input_shape[1:])
    assert_equal_outputs(
        prepared.model.predict_on_batch(x), expected_outputs(model, x), 1e-5
    )


def test_outputs_of_a_model_of_half_precision_are_computed_in_float32():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = made("cait, distilled")
        prepared = prepare(model, outputs=OUTPUTS)
    finally:
        keras.config.set_dtype_policy("float32")
    same = made("cait, distilled")
    same.set_weights(model.get_weights())
    x = images(2, *model.input_shape[1:])
    assert_equal_outputs(prepared.predict(x), expected_outputs(same, x), 1e-5)


def test_features_of_a_convnet_are_exported_and_attention_is_refused():
    model = plausible(tiny_regnety())
    x = images(2, 64, 64, 3)
    found = prepare(model, outputs=["features", "logits"]).model.predict_on_batch(x)
    pooled = keras.Model(model.input, model.get_layer("avg_pool").output)
    np.testing.assert_allclose(found["features"], pooled(x), rtol=1e-4, atol=1e-5)
    with pytest.raises(ValueError, match=r"attention layers.*Received: 'regnety"):
        prepare(model, outputs=["class_attention"])


@pytest.mark.parametrize("name", ["cait", "deit"])
def test_heads_of_a_model_with_one_are_refused(name):
    with pytest.raises(ValueError, match=r"distilled model only.*Received: '.*logits"):
        prepare(made(name), outputs=["heads"])


@pytest.mark.parametrize(
    "outputs", ["logits", [], ["logits", "logits"], ["logits", "embedding"]]
)
def test_names_that_are_no_outputs_are_refused(outputs):
    with pytest.raises(ValueError, match=r"`outputs` must be .* Received: outputs="):
        check_outputs(outputs)
