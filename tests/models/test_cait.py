import keras
import numpy as np
import pytest

import keras_cait
from keras_cait.layers import LayerScale, StochasticDepth
from keras_cait.variants import VARIANTS
from tests.support.models.tiny_models import (
    images,
    randomize,
    tiny_cait,
    to_numpy,
    without_values,
)

# Counted from the architecture, at 224 pixels, where no checkpoint tells.
COUNTS = {
    "CaiT_XS24": 26_560_648,
    "CaiT_XS36": 38_557_432,
    "CaiT_S36": 68_220_712,
    "CaiT_S48": 89_525_224,
    "CaiT_M24": 185_850_088,
}


@pytest.mark.parametrize("name", COUNTS)
def test_parameter_count(name):
    with without_values():
        model = getattr(keras_cait, name)(weights=None, input_shape=(224, 224, 3))
    assert model.count_params() == COUNTS[name]
    rates = {x.rate for x in model.layers if isinstance(x, StochasticDepth)}
    assert rates == {0, VARIANTS[name].drop_path_rate}


@pytest.mark.parametrize(("depth", "start"), [(2, 0.1), (20, 1e-5), (25, 1e-6)])
def test_layer_scale_starts_by_depth(depth, start):
    with without_values():
        model = tiny_cait(depth=depth)
    starts = {x.init_values for x in model.layers if isinstance(x, LayerScale)}
    assert starts == {start}


def test_stochastic_depth_is_constant_and_spares_class_attention():
    model = tiny_cait(drop_path_rate=0.3)
    for layer in model.layers:
        if isinstance(layer, StochasticDepth):
            assert layer.rate == (0 if layer.name.startswith("class") else 0.3)


def test_the_class_token_does_not_change_the_patches():
    model = randomize(tiny_cait(include_top=False))
    x = images(2, 32, 32, 3)
    before = to_numpy(model(x))
    model.get_layer("class_token").token.assign(np.ones((1, 1, 32)))
    after = to_numpy(model(x))
    np.testing.assert_array_equal(before[:, 1:], after[:, 1:])
    assert not np.allclose(before[:, 0], after[:, 0])


SLOW = [pytest.param(p, marks=pytest.mark.slow) for p in ("float32", "mixed_bfloat16")]


@pytest.mark.parametrize("policy", ["mixed_float16", *SLOW])
def test_a_distilled_cait_trains(policy):
    keras.config.set_dtype_policy(policy)
    try:
        student = tiny_cait(distilled=True, drop_path_rate=0.5, depth=2)
    finally:
        keras.config.set_dtype_policy("float32")
    teacher = keras.Sequential(
        [keras.Input((32, 32, 3)), keras.layers.Flatten(), keras.layers.Dense(10)]
    )
    heads = keras_cait.separate_heads(student)
    assert sorted(heads.output) == ["class", "distillation"]
    distiller = keras_cait.Distiller(student, teacher)
    distiller.compile("adamw", run_eagerly=True)  # one step repays no compiling
    log = distiller.train_on_batch(images(8, 32, 32, 3), np.arange(8), return_dict=True)
    assert np.isfinite(log["loss"])
    for weight in student.trainable_weights:
        assert np.all(np.isfinite(to_numpy(weight))), weight.path


@pytest.mark.parametrize("pooling", [None, "token", "avg"])
def test_features(pooling):
    model = tiny_cait(include_top=False, pooling=pooling, distilled=True)
    shape = (None, 18, 32) if pooling is None else (None, 32)
    assert model.output_shape == shape


def test_keras_file_and_timm_file(tmp_path):
    model = randomize(tiny_cait(include_preprocessing=True))
    model.save(tmp_path / "model.keras")
    x = 100 * images(2, 32, 32, 3)
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(to_numpy(again(x)), to_numpy(model(x)))
    keras_cait.save_timm_weights(model, tmp_path / "model.safetensors")
    fresh = tiny_cait(include_preprocessing=True)
    keras_cait.load_weights(fresh, tmp_path / "model.safetensors")
    np.testing.assert_array_equal(to_numpy(fresh(x)), to_numpy(model(x)))


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"input_shape": (33, 32, 3)}, r"input_shape=\(33, 32, 3\), patch_size=8"),
        ({"num_heads": 5}, "embed_dim=32, num_heads=5"),
        ({"class_attention_depth": 0}, "class_attention_depth=0"),
        ({"drop_path_rate": 1.0}, r"drop_path_rate=1\.0"),
        ({"init_values": 0.0}, r"init_values=0\.0"),
    ],
)
def test_values_out_of_range_are_refused(settings, named):
    with pytest.raises(ValueError, match=named):
        tiny_cait(**settings)


def test_weights_that_were_never_published():
    with (
        without_values(),
        pytest.raises(ValueError, match=r"CaiT_M24; they were for CaiT_XXS24"),
    ):
        keras_cait.CaiT_M24()
