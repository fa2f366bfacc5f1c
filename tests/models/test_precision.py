"""Models under mixed precision: dtypes of their layers, and the cost in accuracy."""

import json

import keras
import numpy as np
import pytest

import keras_cait
from tests.support.models.tiny_models import (
    images,
    randomize,
    tiny_cait,
    tiny_deit,
    tiny_deit3,
    to_numpy,
)

# Largest difference from float32, as a part of the largest logit. torch's autocast
# differs by 0.3 to 1.0 % with random weights of several sizes.
LIMIT = 0.006

STREAM = (
    keras.layers.Add,
    keras.layers.Average,
    keras.layers.Concatenate,
    keras.layers.Dropout,
    keras.layers.LayerNormalization,
    keras_cait.layers.ClassToken,
    keras_cait.layers.DistillationToken,
    keras_cait.layers.LayerScale,
    keras_cait.layers.PositionEmbedding,
    keras_cait.layers.StochasticDepth,
)


@pytest.fixture(autouse=True)
def float32_afterwards():
    yield
    keras.config.set_dtype_policy("float32")


def under(policy, make, **settings):
    keras.config.set_dtype_policy(policy)
    try:
        return make(classifier_activation=None, **settings)
    finally:
        keras.config.set_dtype_policy("float32")


def error(policy, make, inputs, prepare):
    """Largest difference from float32, of the same weights."""
    wide, half = under("float32", make), under(policy, make)
    prepare(wide)
    half.set_weights(wide.get_weights())
    expected = to_numpy(wide(inputs))
    difference = np.abs(to_numpy(half(inputs)) - expected).max()
    return difference / np.abs(expected).max()


@pytest.mark.parametrize("make", [tiny_cait, tiny_deit, tiny_deit3])
def test_the_residual_stream_is_float32_and_the_matrix_products_are_half(make):
    settings = {} if make is tiny_deit3 else {"distilled": True}
    model = under("mixed_bfloat16", make, depth=1, **settings)
    for layer in model.layers:
        if isinstance(layer, STREAM):
            assert layer.compute_dtype == layer.output.dtype == "float32", layer.name
        if layer.name.endswith(("attention", "feed_forward")):
            assert layer.compute_dtype == "bfloat16"
            assert layer.output.dtype == "float32"
    assert model.output.dtype == "float32"
    assert model.get_layer("patch_embedding").compute_dtype == "bfloat16"
    features = under("mixed_bfloat16", make, include_top=False, pooling="avg")
    assert features.output.dtype == "float32"


@pytest.mark.parametrize("make", [tiny_cait, tiny_deit3])
def test_a_branch_with_gains_of_1e_5_changes_the_features(make):
    x = images(2, 32, 32, 3)
    for policy in ("mixed_bfloat16", "float32"):
        model = randomize(under(policy, make, include_top=False))
        branch = model.get_layer("block_1_scale2").gamma
        features = []
        for gain in (0, 1e-5):
            branch.assign(gain + 0 * branch)
            features.append(to_numpy(model(x)))
        changed = np.mean(features[0] != features[1])
        assert changed > 0.5, policy


def bfloat16_error():
    """Error of a product in bfloat16, as a multiple of that of rounding to nearest.

    TensorFlow's kernels for processors without AVX-512 cut the last bits off, which
    doubles it.
    """
    generator = np.random.default_rng(0)
    left, right = generator.standard_normal((2, 384, 384))
    left, right = (keras.ops.cast(x, "bfloat16") for x in (left, right))
    exact = to_numpy(left).astype("float64") @ to_numpy(right).astype("float64")
    rounded = to_numpy(keras.ops.cast(exact, "bfloat16"))
    product = to_numpy(keras.ops.matmul(left, right))
    return np.std(product - exact) / np.std(rounded - exact)


@pytest.mark.slow
def test_logits_of_cait_xxs24_at_224():
    def make(**settings):
        return keras_cait.CaiT_XXS24(weights=None, **settings)

    x = images(2, 224, 224, 3)
    assert error("mixed_bfloat16", make, x, randomize) < LIMIT


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("name", "limit"),
    # The most that torch's autocast, which rounds, loses with these weights and images.
    [("CaiT_XXS24", 0.0054), ("DeiT_Ti_Distilled", 0.0093), ("DeiT3_S", 0.0045)],
)
def test_logits_of_trained_sizes(name, limit, seed):
    """Weights whose branches keep their size, and gains as training leaves them."""

    def make(**settings):
        return getattr(keras_cait, name)(weights=None, **settings)

    def prepare(model):
        generator = np.random.default_rng(seed)
        for weight in model.weights:
            value = generator.standard_normal(weight.shape)
            if weight.name == "gamma" and "scale" in weight.path:
                value = 10 ** generator.uniform(-5, -1, weight.shape)
            elif weight.name == "gamma":
                value = 1 + 0.2 * value
            elif weight.name in ("kernel", "proj_l_kernel", "proj_w_kernel"):
                value *= np.prod(weight.shape[:-1]) ** -0.5
            else:
                value *= 0.1
            weight.assign(value)

    x = images(2, 224, 224, 3, seed=seed)
    kernels = bfloat16_error()
    assert kernels < 2.1
    # Of a product its two factors are rounded, and then it itself is, or is cut off.
    limit_here = limit * np.sqrt((2 + max(kernels, 1) ** 2) / 3)
    assert error("mixed_bfloat16", make, x, prepare) < limit_here
    assert error("mixed_float16", make, x, prepare) < limit / 4


def test_a_model_saved_with_a_half_precision_stream_still_loads(tmp_path):
    model = randomize(under("mixed_bfloat16", tiny_cait, depth=1))
    config = json.loads(model.to_json())
    mixed = keras.dtype_policies.serialize(
        keras.dtype_policies.DTypePolicy("mixed_bfloat16")
    )
    for layer in config["config"]["layers"]:
        if "dtype" in layer["config"] and layer["class_name"] != "InputLayer":
            layer["config"]["dtype"] = mixed
    old = keras.models.model_from_json(json.dumps(config))
    old.set_weights(model.get_weights())
    old.save(tmp_path / "old.keras")
    loaded = keras.saving.load_model(tmp_path / "old.keras")
    x = images(2, 32, 32, 3)
    expected = to_numpy(model(x))
    assert loaded.get_layer("block_0_scale1").output.dtype == "bfloat16"
    difference = np.abs(to_numpy(loaded(x)).astype("float32") - expected).max()
    assert difference < 0.03 * np.abs(expected).max()


@pytest.mark.parametrize(
    "settings",
    [
        {"recompute": True},
        pytest.param(
            {"dropout_rate": 0.2, "attention_dropout_rate": 0.2},
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_model_trains_in_float16(settings):
    model = under("mixed_float16", tiny_cait, depth=1, drop_path_rate=0.3, **settings)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.AdamW(1e-2), loss, run_eagerly=True)
    x, y = images(8, 32, 32, 3), np.arange(8)
    losses = [float(model.train_on_batch(x, y)) for _ in range(6)]
    assert np.all(np.isfinite(losses))
    assert losses[-1] < losses[0]
