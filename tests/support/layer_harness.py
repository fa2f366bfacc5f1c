"""Checks that every layer must pass, on any backend."""

import inspect

import keras
import numpy as np

# Half precision against float32: largest error as a part of the largest value.
TOLERANCES = {"mixed_float16": 5e-3, "mixed_bfloat16": 4e-2}
BATCH = 8


def run_layer_checks(make, input_shape, *, weights, folder, idle=()):
    """Runs every check on one layer.

    Args:
        make: Function of `**kwargs` (`name`, `dtype`) that makes the layer, with
            drop rates above zero where it has any.
        input_shape: Shape of one example.
        weights: Names of the layer's weights, in order.
        folder: Where files may be written.
        idle: Names of weights whose gradient is zero by the layer's formula.
    """
    inputs = normal((BATCH, *input_shape))
    check_shapes(make, inputs)
    check_weight_names(make, inputs, weights)
    check_config(make, inputs)
    check_keras_file(make, inputs, folder / "layer.keras")
    check_training_step(make, inputs, "float32", idle)
    for policy in TOLERANCES:
        check_half_precision(make, inputs, policy)
        check_training_step(make, inputs, policy, idle)
    if keras.backend.backend() != "jax":  # jax has float64 only when asked to
        check_double_precision(make, inputs)


def check_shapes(make, inputs):
    layer = make()
    symbolic = layer(keras.Input(inputs.shape[1:]))
    eager = layer(inputs)
    assert symbolic.shape == (None, *eager.shape[1:])
    assert symbolic.dtype == keras.backend.standardize_dtype(eager.dtype) == "float32"
    for batch in (None, BATCH):
        computed = layer.compute_output_shape((batch, *inputs.shape[1:]))
        assert tuple(computed) == (batch, *eager.shape[1:])


def check_weight_names(make, inputs, names):
    layer = built(make, inputs, name="layer")
    assert [weight.path for weight in layer.weights] == [f"layer/{n}" for n in names]
    assert len(layer.trainable_weights) == len(names)


def check_config(make, inputs):
    layer = built(make, inputs)
    config = layer.get_config()
    copy = type(layer).from_config(config)
    assert copy.get_config() == config
    for parameter in inspect.signature(type(layer)).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY:
            assert config[parameter.name] == getattr(layer, parameter.name)
    assert_same_layer(copy, layer, inputs)
    saved = keras.saving.serialize_keras_object(layer)
    restored = keras.saving.deserialize_keras_object(saved)
    assert restored.get_config() == config


def check_keras_file(make, inputs, path):
    model = one_layer_model(built(make, inputs), inputs)
    model.save(path)
    restored = keras.saving.load_model(path)
    assert restored.layers[1].get_config() == model.layers[1].get_config()
    for new, old in zip(restored.weights, model.weights, strict=True):
        np.testing.assert_array_equal(to_numpy(new), to_numpy(old))
    np.testing.assert_array_equal(to_numpy(restored(inputs)), to_numpy(model(inputs)))


def check_training_step(make, inputs, policy, idle):
    """One step changes every trainable weight, those before the layer too."""
    layer = built(make, inputs, dtype=policy)
    x = keras.Input(inputs.shape[1:])
    model = keras.Model(x, layer(keras.layers.Dense(x.shape[-1], dtype=policy)(x)))
    before = [to_numpy(weight) for weight in model.trainable_weights]
    eager = keras.backend.backend() == "tensorflow"  # the faster way on each backend
    model.compile(keras.optimizers.SGD(1.0), loss="mse", run_eagerly=eager)
    loss = model.train_on_batch(inputs, normal(layer(inputs).shape, seed=1))
    assert np.isfinite(loss)
    for weight, old in zip(model.trainable_weights, before, strict=True):
        new = to_numpy(weight)
        assert np.all(np.isfinite(new)), weight.path
        assert np.any(new != old) or weight.name in idle, weight.path


def check_half_precision(make, inputs, policy):
    wide, narrow = built(make, inputs), built(make, inputs, dtype=policy)
    narrow.set_weights(wide.get_weights())
    assert narrow.compute_dtype == policy.removeprefix("mixed_")
    assert {weight.dtype for weight in narrow.weights} <= {"float32"}
    symbolic = narrow(keras.Input(inputs.shape[1:]))
    for training in (False, True):
        outputs = narrow(inputs, training=training)
        assert keras.backend.standardize_dtype(outputs.dtype) == symbolic.dtype
        assert np.all(np.isfinite(to_numpy(outputs)))
    assert_close(narrow(inputs), wide(inputs), TOLERANCES[policy])


def check_double_precision(make, inputs):
    single, double = built(make, inputs), built(make, inputs, dtype="float64")
    double.set_weights(single.get_weights())
    outputs = double(inputs.astype("float64"))
    assert keras.backend.standardize_dtype(outputs.dtype) == "float64"
    assert {weight.dtype for weight in double.weights} <= {"float64"}
    assert_close(outputs, single(inputs), 1e-5)


def built(make, inputs, **kwargs):
    """The layer, built, each of its weights with a value that matters."""
    layer = make(**kwargs)
    layer.build(inputs.shape)
    for index, weight in enumerate(layer.weights):
        weight.assign(0.3 * normal(weight.shape, seed=index))
    return layer


def one_layer_model(layer, inputs):
    x = keras.Input(inputs.shape[1:])
    return keras.Model(x, layer(x))


def assert_same_layer(copy, layer, inputs):
    """Given the same weights, both give the same."""
    copy.build(inputs.shape)
    copy.set_weights(layer.get_weights())
    np.testing.assert_array_equal(to_numpy(copy(inputs)), to_numpy(layer(inputs)))


def assert_close(found, expected, tolerance):
    """Equal to a part of the largest value."""
    found, expected = to_numpy(found), to_numpy(expected)
    largest = np.max(np.abs(expected))
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * largest)


def normal(shape, seed=0):
    return np.random.default_rng(seed).standard_normal(tuple(shape), dtype="float32")


def to_numpy(tensor):
    """Any tensor or variable as an array, half precision widened."""
    dtype = keras.backend.standardize_dtype(tensor.dtype)
    if dtype in ("float16", "bfloat16"):
        tensor = keras.ops.cast(tensor, "float32")
    return np.array(keras.ops.convert_to_numpy(tensor))
