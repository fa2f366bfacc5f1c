"""Models made for inference say what the models they are made of say."""

from collections import Counter

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import (
    convert_variables_to_constants_v2,
)
from token_insertion import token_insertion_network  # pyright: ignore[reportMissingImports]

import keras_cait
from keras_cait.export.folding.fold import fold
from keras_cait.export.folding.full_precision import in_float32
from keras_cait.models.pixel_inputs import takes_pixels
from tests.support.models.tiny_models import (
    images,
    randomize,
    tiny_cait,
    tiny_deit,
    tiny_deit3,
    tiny_regnety,
    to_numpy,
)

TOLERANCE = 1e-5  # of the largest output
RECTANGLE = {"input_shape": (24, 40, 3)}
LOGITS = {"classifier_activation": None}
MODELS = {
    "deit": (tiny_deit, LOGITS),
    "deit_softmax": (tiny_deit, {}),
    "deit_distilled": (tiny_deit, {"distilled": True, **LOGITS}),
    "deit_one_block": (tiny_deit, {"depth": 1, "distilled": True, **LOGITS}),
    "deit_gray": (tiny_deit, {"input_shape": (32, 24, 1), **LOGITS}),
    "deit3": (tiny_deit3, {**RECTANGLE, **LOGITS}),
    "cait": (tiny_cait, {"class_attention_depth": 1, **LOGITS}),
    "cait_two": (tiny_cait, {"class_attention_depth": 2, **RECTANGLE, **LOGITS}),
    "cait_distilled": (tiny_cait, {"distilled": True, "num_heads": 2, **LOGITS}),
    "regnety": (tiny_regnety, LOGITS),
}
FEATURES = {
    "deit_tokens": (tiny_deit, {"distilled": True}),
    "deit_token": (tiny_deit, {"pooling": "token", "distilled": True}),
    "deit3_avg": (tiny_deit3, {"pooling": "avg"}),
    "cait_tokens": (tiny_cait, {}),
    "cait_token": (tiny_cait, {"pooling": "token"}),
    "cait_avg": (tiny_cait, {"pooling": "avg", "distilled": True, **RECTANGLE}),
    "regnety_max": (tiny_regnety, {"pooling": "max"}),
}
PASSIVE = ("Const", "Identity", "NoOp", "Placeholder")
SLOW = ("cait", "deit_one_block", "deit_token", "cait_avg", "regnety_max")
RATES = {"drop_path_rate": 0.2, "dropout_rate": 0.1, "attention_dropout_rate": 0.1}


def cases(table):
    marks = {True: [pytest.mark.slow], False: []}
    return [pytest.param(name, marks=marks[name in SLOW]) for name in table]


def made(family, **settings):
    return randomize(family(**settings))


def inputs_of(model, number=3):
    shape = (number, *model.input_shape[1:])
    pixels = takes_pixels(model)
    if pixels:
        return np.random.default_rng(0).integers(0, 256, shape).astype("float32")
    return images(*shape)


def assert_same(expected, actual):
    assert keras.tree.map_structure(np.shape, expected) == keras.tree.map_structure(
        np.shape, actual
    )
    for one, other in zip(*map(keras.tree.flatten, (expected, actual)), strict=True):
        one, other = to_numpy(one), to_numpy(other)
        assert np.abs(one - other).max() <= TOLERANCE * np.abs(one).max()


def assert_folds(model):
    """Folds a model, compares the two, and gives the new one."""
    folded = fold(model)
    inputs = inputs_of(model)
    assert_same(model(inputs, training=False), folded(inputs, training=False))
    assert model.output_shape == folded.output_shape
    return folded


def operations(model):
    """What a model's graph does: how many operations of each kind, ranks checked."""
    images = tf.TensorSpec((None, *model.input_shape[1:]), "float32")
    function = tf.function(lambda x: model(x), autograph=False)
    graph = convert_variables_to_constants_v2(
        function.get_concrete_function(images)
    ).graph
    found = [each for each in graph.get_operations() if each.type not in PASSIVE]
    ranks = {tensor.shape.rank for each in found for tensor in each.outputs}
    assert max(ranks) <= 4
    return Counter(each.type for each in found)


# Sizes that are known before the export, and what goes into the weights.
ONCE = set("BroadcastTo ExpandDims GatherV2 Pack Prod Rsqrt Shape Sub".split())  # noqa: SIM905


@pytest.mark.parametrize("name", cases(MODELS))
def test_says_the_same(name):
    family, settings = MODELS[name]
    assert_folds(made(family, include_preprocessing=True, **settings))


@pytest.mark.parametrize("family", [tiny_deit, tiny_cait])
def test_takes_normalized_images_too(family):
    assert_folds(made(family, depth=1, **LOGITS))


@pytest.mark.parametrize("name", cases(FEATURES))
def test_gives_the_same_features(name):
    family, settings = FEATURES[name]
    assert_folds(made(family, include_top=False, **settings))


@pytest.mark.parametrize(
    "family", [pytest.param(tiny_deit3, marks=pytest.mark.slow), tiny_cait]
)
def test_nothing_of_training_is_left(family):
    model = made(family, include_preprocessing=True, **RATES, **LOGITS)
    folded = assert_folds(model)
    kinds = {type(layer).__name__ for layer in folded._flatten_layers()}
    assert not kinds & {"Activation", "Dropout", "LayerNormalization", "LayerScale"}
    assert not kinds & {"Rescaling", "StochasticDepth"}
    before, after = operations(model), operations(folded)
    assert after.total() < before.total()
    assert not ONCE & after.keys()
    assert after["Mean"] * 2 == before["Mean"]  # the variance, without the mean
    assert after["Mul"] == 3 * after["Erf"]  # those of GELU: no gain is left


def test_batch_norms_go_into_convolutions():
    folded = fold(tiny_regnety(drop_path_rate=0.2))
    kinds = {type(layer).__name__ for layer in folded.layers}
    assert not kinds & {"BatchNormalization", "StochasticDepth"}


def test_two_heads_become_one_where_their_mean_is_wanted():
    folded = assert_folds(made(tiny_deit, distilled=True))
    heads = [layer for layer in folded.layers if isinstance(layer, keras.layers.Dense)]
    assert [layer.name for layer in heads] == ["head"]
    assert heads[0].kernel.shape == (64, 10)  # of both tokens
    assert folded.layers[-1].name == "predictions"


@pytest.mark.parametrize("family", [tiny_deit, tiny_cait])
def test_separate_heads_stay_separate(family):
    model = keras_cait.separate_heads(made(family, distilled=True))
    folded = assert_folds(model)
    assert sorted(folded.output) == ["class", "distillation"]


def test_heads_and_their_mean_can_be_outputs_of_one_model():
    model = made(tiny_deit, distilled=True)
    both = keras_cait.separate_heads(model).output | {"mean": model.output}
    assert_folds(keras.Model(model.input, both))


def test_features_beside_the_classifier_keep_the_last_norm():
    model = made(tiny_deit, **LOGITS)
    tokens = model.get_layer("norm").output
    folded = assert_folds(keras.Model(model.input, [model.output, tokens]))
    assert isinstance(folded.get_layer("norm"), keras.layers.LayerNormalization)


def test_tokens_between_blocks_can_be_outputs():
    model = made(tiny_cait, class_attention_depth=2, **LOGITS)
    names = ("patch_embedding", "block_0_norm1", "block_1_add1", "class_block_0_join")
    between = [model.get_layer(name).output for name in names]
    assert_folds(keras.Model(model.input, [*between, model.output]))


def test_operations_of_several_results_stay():
    model = made(tiny_deit, distilled=True, **LOGITS)
    halves = keras.ops.split(model.output, 2, axis=-1)
    assert_folds(keras.Model(model.input, {"first": halves[0], "last": halves[1]}))


def test_a_softmax_behind_the_logits_stays():
    model = made(tiny_cait, distilled=True, **LOGITS)
    outputs = keras.layers.Softmax()(model.output)
    folded = assert_folds(keras.Model(model.input, outputs))
    np.testing.assert_allclose(folded(inputs_of(model)).numpy().sum(-1), 1, 1e-6)


def test_layers_of_keras_in_front_stay():
    camera = keras.Input((20, 20, 3), name="camera")
    resized = keras.Sequential([keras.layers.Resizing(32, 32)], name="resized")(camera)
    flipped = keras.layers.RandomFlip()(resized)
    model = made(tiny_deit, input_tensor=flipped, include_preprocessing=True, **LOGITS)
    folded = assert_folds(model)
    assert [layer.name for layer in folded.layers[:2]] == ["camera", "resized"]
    assert folded.layers[3].name == "patch_embedding"


@pytest.mark.parametrize("insertion", [1, 2, None])
def test_folds_the_networks_between_deit_and_cait(insertion):
    model = token_insertion_network(
        insertion,
        class_attention_depth=1 if insertion == 2 else 0,
        input_shape=(16, 24, 3),
        patch_size=8,
        embed_dim=16,
        depth=2,
        num_heads=2,
        classes=10,
    )
    assert_folds(randomize(model))


def test_the_last_blocks_compute_only_the_tokens_that_are_read():
    folded = fold(tiny_deit(distilled=True))
    assert folded.get_layer("block_1_feed_forward").output.shape == (None, 18, 32)
    assert folded.get_layer("block_2_attention").output.shape == (None, 2, 32)
    assert folded.get_layer("block_2_feed_forward").output.shape == (None, 2, 32)
    assert folded.get_layer("norm").output.shape == (None, 2, 32)


@pytest.mark.parametrize(
    "policy", ["mixed_float16", pytest.param("float16", marks=pytest.mark.slow)]
)
def test_folds_models_of_half_precision(policy):
    keras.config.set_dtype_policy(policy)
    try:
        model = made(tiny_cait, distilled=True, include_preprocessing=True, **LOGITS)
        folded = fold(model)
    finally:
        keras.config.set_dtype_policy("float32")
    assert {weight.dtype for weight in folded.weights} == {"float32"}
    assert_same(in_float32(model)(inputs_of(model)), folded(inputs_of(model)))


def test_leaves_the_model_as_it_is():
    model = made(tiny_cait, distilled=True)
    inputs = inputs_of(model)
    before, expected = [*map(to_numpy, model.weights)], to_numpy(model(inputs))
    names = [layer.name for layer in model.layers]
    folded = fold(model)
    for weight in folded.weights:
        weight.assign(0 * weight)
    np.testing.assert_array_equal(to_numpy(model(inputs)), expected)
    for old, new in zip(before, model.weights, strict=True):
        np.testing.assert_array_equal(old, to_numpy(new))
    assert [layer.name for layer in model.layers] == names
    assert all(len(layer._inbound_nodes) == 1 for layer in model.layers)


@pytest.mark.parametrize("family", [tiny_deit, tiny_cait])
def test_can_be_saved_and_loaded(family, tmp_path):
    folded = fold(made(family, distilled=True, include_preprocessing=True))
    folded.save(tmp_path / "folded.keras")
    loaded = keras.saving.load_model(tmp_path / "folded.keras")
    inputs = 255 * np.random.default_rng(0).random((2, 32, 32, 3), "float32")
    np.testing.assert_array_equal(folded(inputs), loaded(inputs))


def test_a_batch_of_known_size_says_the_same():
    model = made(tiny_cait, distilled=True, **LOGITS)
    folded = fold(model)
    inputs = inputs_of(model)
    assert_same(folded.predict_on_batch(inputs), folded(inputs))  # of unknown size


class Own(keras.layers.Layer):
    def call(self, inputs):
        return inputs + 1

    def compute_output_shape(self, input_shape):
        return input_shape


def test_refuses_layers_of_ones_own():
    model = tiny_deit(depth=1)
    with pytest.raises(ValueError, match=r"Keras only.* Received: 'mine', a Own of"):
        fold(keras.Model(model.input, Own(name="mine")(model.output)))


def test_refuses_models_of_others():
    other = [keras.Input((8, 8, 3)), keras.layers.Flatten()]
    with pytest.raises(ValueError, match="Received: 'other', which has neither"):
        fold(keras.Sequential(other, name="other"))
    with pytest.raises(ValueError, match="no counterpart in timm"):
        fold(keras.Sequential([*other, keras.layers.Dense(3, name="own")]))
    with pytest.raises(ValueError, match=r"Expected a functional keras\.Model"):
        fold("deit.keras")
