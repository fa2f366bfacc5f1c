import keras
import numpy as np
import pytest
from token_insertion import token_insertion_network  # pyright: ignore[reportMissingImports]

from keras_cait.layers import ClassToken, LayerScale, StochasticDepth
from tests.support.models.tiny_models import (
    images,
    randomize,
    tiny_cait,
    tiny_deit,
    to_numpy,
    without_values,
)

SIZES = {"input_shape": (32, 32, 3), "patch_size": 8, "embed_dim": 32, "num_heads": 4}


def network(insertion, **overrides):
    settings = {"depth": 3, "classes": 10, **SIZES}
    return token_insertion_network(insertion, **{**settings, **overrides})


# The rows of the paper's table, at the width of DeiT-S: 12 D^2 + 13 D weights a block,
# of either attention; a late token has no position (D less), no token saves 2 D.
DEIT_S = 22_050_664
BLOCK = 12 * 384**2 + 13 * 384
ROWS = [
    (0, 12, 0, DEIT_S),
    (None, 12, 0, DEIT_S - 2 * 384),
    *((layer, 12, 0, DEIT_S - 384) for layer in (2, 4, 8, 10, 11)),
    *((12 - j, 12 - j, j, DEIT_S - 384) for j in (3, 2, 1)),
    *((12, 12, j, DEIT_S - 384 + j * BLOCK) for j in (1, 2, 3)),
]


@pytest.mark.parametrize(("insertion", "depth", "class_attention", "count"), ROWS)
def test_parameter_count(insertion, depth, class_attention, count):
    with without_values():
        model = token_insertion_network(
            insertion,
            class_attention_depth=class_attention,
            input_shape=(224, 224, 3),
            patch_size=16,
            embed_dim=384,
            depth=depth,
            num_heads=6,
            classes=1000,
        )
    assert model.count_params() == count
    rounded = {0: 22, 1: 24, 2: 26, 3: 27}  # millions, as the table has them
    added = class_attention if depth == 12 else 0
    assert round(count / 1e6) == rounded[added]


def test_insertion_before_the_first_block_equals_deit():
    deit = randomize(tiny_deit())
    model = network(0)
    assert [w.path for w in model.weights] == [w.path for w in deit.weights]
    model.set_weights(deit.get_weights())
    x = images(2, 32, 32, 3)
    np.testing.assert_allclose(to_numpy(model(x)), to_numpy(deit(x)), atol=1e-6)


def test_insertion_behind_the_last_block_equals_cait_without_layer_scale():
    cait = randomize(tiny_cait(class_attention_depth=2))
    for layer in cait.layers:
        if isinstance(layer, LayerScale):
            layer.gamma.assign(np.ones(32))
        if layer.name.startswith("block") and layer.name.endswith("attention"):
            for kernel in (layer.proj_l_kernel, layer.proj_w_kernel):
                kernel.assign(np.eye(4))
            for bias in (layer.proj_l_bias, layer.proj_w_bias):
                bias.assign(np.zeros(4))
    model = network(3, class_attention_depth=2)
    values = {weight.path: weight for weight in cait.weights}
    for weight in model.weights:
        weight.assign(values[weight.path])
    x = images(2, 32, 32, 3)
    np.testing.assert_allclose(to_numpy(model(x)), to_numpy(cait(x)), atol=1e-6)


def test_without_a_token_the_mean_patch_is_classified():
    model = randomize(network(None))
    assert not any(isinstance(layer, ClassToken) for layer in model.layers)
    x = images(2, 32, 32, 3)
    tokens = keras.Model(model.input, model.get_layer("norm").output)(x)
    assert tokens.shape == (2, 16, 32)
    logits = model.get_layer("head")(np.mean(to_numpy(tokens), axis=1))
    expected = to_numpy(keras.ops.softmax(logits))
    np.testing.assert_allclose(to_numpy(model(x)), expected, atol=1e-6)


@pytest.mark.parametrize("insertion", [0, 1, 2])
def test_the_token_changes_patches_from_its_block_on(insertion):
    model = randomize(network(insertion))
    names = [f"block_{index}_add2" for index in range(3)]
    states = keras.Model(model.input, [model.get_layer(name).output for name in names])
    x = images(1, 32, 32, 3)
    before = [to_numpy(state)[:, -16:] for state in states(x)]
    model.get_layer("class_token").token.assign(np.ones((1, 1, 32)))
    after = [to_numpy(state) for state in states(x)]
    for index in range(3):
        assert after[index].shape[1] == 16 + (index >= insertion)
        patches = after[index][:, -16:]
        assert np.array_equal(patches, before[index]) == (index < insertion)


@pytest.mark.parametrize("insertion", [1, 3])
def test_a_late_token_has_no_position(insertion):
    model = network(insertion, class_attention_depth=int(insertion == 3))
    position = model.get_layer("position_embedding")
    assert position.position_embedding.shape == (1, 16, 32)


def test_stochastic_depth_is_equal_in_self_attention_and_absent_in_class_attention():
    model = network(3, class_attention_depth=1, drop_path_rate=0.3)
    rates = {
        layer.name: layer.rate
        for layer in model.layers
        if isinstance(layer, StochasticDepth)
    }
    assert len(rates) == 8
    for name, rate in rates.items():
        assert rate == (0 if name.startswith("class") else 0.3)


@pytest.mark.parametrize("insertion", [None, 0, 2, 3])
def test_a_saved_network_predicts_the_same_and_trains(insertion, tmp_path):
    attending = {"class_attention_depth": 1} if insertion == 3 else {}
    model = network(insertion, include_preprocessing=True, **attending)
    model.compile("sgd", "sparse_categorical_crossentropy", run_eagerly=True)
    x = 100 * abs(images(4, 32, 32, 3))
    before = [to_numpy(weight) for weight in model.trainable_weights]
    model.train_on_batch(x, np.arange(4))
    for weight, old in zip(model.trainable_weights, before, strict=True):
        assert np.any(to_numpy(weight) != old), weight.path
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(to_numpy(again(x)), to_numpy(model(x)))


@pytest.mark.parametrize(
    ("insertion", "settings", "named"),
    [
        (-1, {}, "insertion=-1, depth=3"),
        (4, {}, "insertion=4, depth=3"),
        (3, {}, "class_attention_depth=0, insertion=3, depth=3"),
        (2, {"class_attention_depth": 1}, "class_attention_depth=1, insertion=2"),
        (None, {"class_attention_depth": 1}, "insertion=None, depth=3"),
        (3, {"class_attention_depth": -1}, "class_attention_depth=-1"),
        (0, {"depth": 0}, "depth=0"),
        (0, {"input_shape": (33, 32, 3)}, r"input_shape=\(33, 32, 3\), patch_size=8"),
        (0, {"num_heads": 5}, "embed_dim=32, num_heads=5"),
        (0, {"drop_path_rate": 1.0}, r"drop_path_rate=1\.0"),
        (0, {"classes": 0}, "classes=0"),
    ],
)
def test_values_out_of_range_are_refused(insertion, settings, named):
    with pytest.raises(ValueError, match=named):
        network(insertion, **settings)
