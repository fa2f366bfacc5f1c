import keras
import numpy as np
import pytest

import keras_cait
from keras_cait.layers import StochasticDepth
from tests.support.models.tiny_models import (
    images,
    randomize,
    tiny_deit,
    to_numpy,
)


@pytest.fixture
def policy(request):
    keras.config.set_dtype_policy(request.param)
    yield request.param
    keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize("size", [(32, 48), (48, 32), (8, 40), (8, 8)])
def test_rectangles_are_accepted(size):
    model = tiny_deit(input_shape=(*size, 3), depth=1)
    assert model(images(2, *size, 3)).shape == (2, 10)
    assert model.get_layer("position_embedding").grid_size == (
        size[0] // 8,
        size[1] // 8,
    )


def test_patches_of_a_rectangle_change_the_output():
    model = randomize(tiny_deit(input_shape=(16, 32, 3)))
    x = images(1, 16, 32, 3)
    assert not np.allclose(to_numpy(model(x)), to_numpy(model(x[:, ::-1])), rtol=1e-3)


@pytest.mark.parametrize(("depth", "rates"), [(4, [0, 0.1, 0.2, 0.3]), (1, [0])])
def test_stochastic_depth_is_a_linear_ramp(depth, rates):
    model = tiny_deit(depth=depth, drop_path_rate=0.3)
    found = [layer.rate for layer in model.layers if isinstance(layer, StochasticDepth)]
    np.testing.assert_allclose(found, np.repeat(rates, 2))


@pytest.mark.parametrize("distilled", [False, True])
@pytest.mark.parametrize("drop_rate", [0.0, 0.3])
def test_training_does_not_change_the_structure_of_the_output(distilled, drop_rate):
    model = tiny_deit(
        distilled=distilled,
        drop_path_rate=drop_rate,
        dropout_rate=drop_rate,
        attention_dropout_rate=drop_rate,
    )
    x = images(4, 32, 32, 3)
    inferred = to_numpy(model(x))
    for training in (False, True, None):
        outputs = to_numpy(model(x, training=training))
        assert outputs.shape == (4, 10)
        assert np.array_equal(outputs, inferred) == (not training or not drop_rate)


def test_output_is_the_activation_of_the_mean_of_both_heads_logits():
    model = randomize(tiny_deit(distilled=True))
    x = images(4, 32, 32, 3)
    heads = keras_cait.separate_heads(model)(x)
    mean = (heads["class"] + heads["distillation"]) / 2
    expected = to_numpy(keras.ops.softmax(mean))
    np.testing.assert_allclose(to_numpy(model(x)), expected, atol=1e-6)


def test_classifier_activation():
    x = images(2, 32, 32, 3)
    models = {
        activation: randomize(tiny_deit(classifier_activation=activation))
        for activation in (None, "softmax", "sigmoid")
    }
    logits = models[None](x)
    for activation in ("softmax", "sigmoid"):
        expected = to_numpy(getattr(keras.ops, activation)(logits))
        found = to_numpy(models[activation](x))
        np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize(("distilled", "prefix"), [(False, 1), (True, 2)])
def test_without_top(distilled, prefix):
    x = images(2, 32, 32, 3)
    models = {
        pooling: randomize(
            tiny_deit(include_top=False, pooling=pooling, distilled=distilled)
        )
        for pooling in (None, "token", "avg")
    }
    tokens = to_numpy(models[None](x))
    assert tokens.shape == (2, prefix + 16, 32)
    token, average = tokens[:, :prefix].mean(axis=1), tokens[:, prefix:].mean(axis=1)
    np.testing.assert_allclose(to_numpy(models["token"](x)), token, atol=1e-5)
    np.testing.assert_allclose(to_numpy(models["avg"](x)), average, atol=1e-5)


def test_input_tensor():
    x = images(2, 32, 32, 3)
    expected = to_numpy(randomize(tiny_deit())(2 * x))
    source = keras.Input((32, 32, 3))
    doubled = keras.layers.Rescaling(2.0)(source)
    model = randomize(tiny_deit(input_tensor=doubled))
    assert model.input is source
    np.testing.assert_allclose(to_numpy(model(x)), expected, atol=1e-6)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_preprocessing_is_imagenets_normalization(channels):
    pixels = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, channels))
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    if channels != 3:
        mean, std = mean.mean(), std.mean()
    shape = (32, 32, channels)
    plain = randomize(tiny_deit(input_shape=shape))
    raw = randomize(tiny_deit(input_shape=shape, include_preprocessing=True))
    expected = to_numpy(plain((pixels / 255 - mean) / std))
    np.testing.assert_allclose(to_numpy(raw(pixels)), expected, atol=1e-5)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"], indirect=True)
def test_a_model_trains_in_mixed_precision(policy):
    model = tiny_deit(distilled=True, drop_path_rate=0.5, depth=2)
    before = [to_numpy(weight) for weight in model.trainable_weights]
    model.compile("adamw", "sparse_categorical_crossentropy", run_eagerly=True)
    assert np.isfinite(model.train_on_batch(images(4, 32, 32, 3), np.arange(4)))
    for weight, old in zip(model.trainable_weights, before, strict=True):
        assert weight.dtype == "float32"
        assert np.all(np.isfinite(to_numpy(weight)))
        assert np.any(to_numpy(weight) != old), weight.path
    outputs = model(images(4, 32, 32, 3))
    attention = model.get_layer("block_0_attention")
    assert attention.compute_dtype == policy.removeprefix("mixed_")
    assert keras.backend.standardize_dtype(outputs.dtype) == "float32"


@pytest.mark.parametrize("policy", ["mixed_bfloat16"], indirect=True)
def test_pixels_are_normalized_in_full_precision(policy):
    model = tiny_deit(include_preprocessing=True)
    pixels = 100 + images(2, 32, 32, 3)
    normalized = keras.Model(model.inputs[0], model.get_layer("preprocessing").output)
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    expected = (pixels / 255 - mean) / std
    np.testing.assert_allclose(to_numpy(normalized(pixels)), expected, atol=1e-5)


@pytest.mark.parametrize("distilled", [False, True])
def test_keras_file(distilled, tmp_path):
    settings = {"distilled": distilled, "drop_path_rate": 0.1, "dropout_rate": 0.1}
    model = randomize(tiny_deit(include_preprocessing=True, **settings))
    model.save(tmp_path / "model.keras")
    restored = keras.saving.load_model(tmp_path / "model.keras")
    for new, old in zip(restored.layers, model.layers, strict=True):
        assert new.get_config() == old.get_config()
    x = 100 * images(2, 32, 32, 3)
    np.testing.assert_array_equal(to_numpy(restored(x)), to_numpy(model(x)))


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="traces a graph")
@pytest.mark.parametrize("training", [False, True])
def test_no_tensor_has_more_than_four_axes(training):
    import tensorflow as tf

    model = tiny_deit(distilled=True, drop_path_rate=0.1, include_preprocessing=True)
    run = tf.function(lambda x: model(x, training=training))
    graph = run.get_concrete_function(tf.TensorSpec((None, 32, 32, 3))).graph
    nodes = graph.get_operations()
    ranks = [tensor.shape.rank for node in nodes for tensor in node.outputs]
    assert None not in ranks
    assert max(ranks) == 4
