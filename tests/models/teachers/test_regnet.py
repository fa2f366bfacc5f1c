import keras
import numpy as np
import pytest
from safetensors.numpy import load_file

import keras_cait
from keras_cait.layers import StochasticDepth
from keras_cait.models.logits import output_kind
from keras_cait.models.teachers.regnet_stages import regnet_stages
from keras_cait.weights.timm.names import timm_shapes
from tests.support.models.tiny_models import (
    images,
    randomize,
    tiny_deit,
    tiny_regnety,
    to_numpy,
    without_values,
)
from tests.support.reference import manifest, weights
from tests.support.weights.weight_checks import (
    assert_equal_weights,
    load_fails,
    weight_values,
)

TINY = {"depth": 7, "w0": 8, "wa": 8.0, "wm": 1.8, "group_size": 8}
OF_16GF = {"depth": 18, "w0": 200, "wa": 106.23, "wm": 2.48, "group_size": 112}


@pytest.fixture(scope="module")
def full_size():
    """The teacher as it was published, without values."""
    with without_values():
        return keras_cait.RegNetY_16GF(weights=None)


def test_stages_are_those_of_the_checkpoint():
    shapes = manifest("regnety_160")["state_dict"]
    found = regnet_stages(**OF_16GF)
    for number, stage in enumerate(found, start=1):
        grouped = [
            shape
            for name, shape in shapes.items()
            if name.startswith(f"s{number}.") and name.endswith("conv2.conv.weight")
        ]
        assert grouped == [[stage.width, stage.group_size, 3, 3]] * stage.depth
    assert len(found) == 4


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        (TINY, [(1, 8, 8), (1, 16, 8), (2, 24, 8), (3, 48, 8)]),
        # The paper's 200MF, whose widths are 24, 56, 152 and 368.
        (
            {"depth": 13, "w0": 24, "wa": 36.44, "wm": 2.49, "group_size": 8},
            [(1, 24, 8), (1, 56, 8), (4, 152, 8), (7, 368, 8)],
        ),
        # A stage that is narrower than a group is one; 328 is not whole groups.
        (
            {**TINY, "group_size": 20},
            [(1, 8, 8), (1, 16, 16), (2, 20, 20), (3, 40, 20)],
        ),
    ],
    ids=["tiny", "200MF", "groups"],
)
def test_stages_equal_the_paper_s(sizes, expected):
    found = regnet_stages(**sizes)
    assert [(s.depth, s.width, s.group_size) for s in found] == expected


def test_the_published_one_has_the_checkpoint_s_weights(full_size):
    shapes = {name: list(shape) for name, shape in timm_shapes(full_size).items()}
    assert shapes == manifest("regnety_160")["state_dict"]
    assert sum(name.endswith("num_batches_tracked") for name in shapes) == 59
    assert output_kind(full_size) == "probabilities"


def test_a_file_of_timm_s_is_written_as_it_was_read(tmp_path):
    model = keras_cait.load_weights(tiny_regnety(), weights("tiny/regnety"))
    keras_cait.save_timm_weights(model, tmp_path / "model.safetensors")
    theirs = load_file(weights("tiny/regnety"))
    ours = load_file(tmp_path / "model.safetensors")
    assert sorted(ours) == sorted(theirs)
    for key, value in theirs.items():
        assert (ours[key].dtype, ours[key].shape) == (value.dtype, value.shape)
        np.testing.assert_array_equal(ours[key], value)


@pytest.mark.parametrize(
    "suffix",
    [".safetensors", ".keras", pytest.param(".weights.h5", marks=pytest.mark.slow)],
)
def test_round_trip(suffix, tmp_path):
    path = tmp_path / f"model{suffix}"
    model = randomize(tiny_regnety())
    if suffix == ".safetensors":
        keras_cait.save_timm_weights(model, path)
    elif suffix == ".keras":
        model.save(path)
    else:
        model.save_weights(path)
    restored = keras_cait.load_weights(tiny_regnety(), path)
    assert_equal_weights(restored, weight_values(model))
    if suffix == ".keras":
        again = keras.saving.load_model(path)
        assert_equal_weights(again, weight_values(model))
        for new, old in zip(again.layers, model.layers, strict=True):
            assert new.get_config() == old.get_config()


def test_a_file_of_another_size_is_refused():
    model = tiny_regnety(classes=7)
    with load_fails(model, "shape: head.fc.bias should be (7,) but is (10,)"):
        keras_cait.load_weights(model, weights("tiny/regnety"))


@pytest.mark.parametrize("shape", [(64, 64, 1), (48, 80, 3), (33, 47, 4), (1, 1, 3)])
def test_images_of_any_size_and_channels_are_accepted(shape):
    model = tiny_regnety(input_shape=shape, include_preprocessing=True)
    assert model.output_shape == (None, 10)
    assert np.all(np.isfinite(to_numpy(model(images(2, *shape)))))


@pytest.mark.parametrize("size", [(64, 96), (63, 97)])
def test_each_stage_halves_the_side_rounding_up(size):
    model = tiny_regnety(input_shape=(*size, 3))
    sides = [
        model.get_layer(f"stage_{n}_block_1_add").output.shape for n in range(1, 5)
    ]
    found = [model.get_layer("stem_conv").output.shape, *sides]
    for halvings, shape in enumerate(found, start=1):
        assert shape[1:3] == tuple(-(-side // 2**halvings) for side in size)


def test_features_without_top():
    x = images(2, 64, 96, 3)
    found = {
        pooling: to_numpy(
            randomize(
                tiny_regnety(
                    input_shape=(64, 96, 3), include_top=False, pooling=pooling
                )
            )(x)
        )
        for pooling in (None, "avg", "max")
    }
    assert found[None].shape == (2, 2, 3, 48)
    np.testing.assert_allclose(found["avg"], found[None].mean((1, 2)), rtol=1e-5)
    np.testing.assert_array_equal(found["max"], found[None].max((1, 2)))


def test_input_tensor():
    x = images(2, 64, 64, 3)
    expected = to_numpy(randomize(tiny_regnety())(2 * x))
    source = keras.Input((64, 64, 3))
    model = randomize(tiny_regnety(input_tensor=keras.layers.Rescaling(2.0)(source)))
    assert model.input is source
    np.testing.assert_allclose(to_numpy(model(x)), expected, atol=1e-6)


def test_preprocessing_is_imagenets_normalization():
    pixels = 127.5 + 40 * images(2, 64, 64, 3)
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    raw = randomize(tiny_regnety(include_preprocessing=True))
    expected = to_numpy(randomize(tiny_regnety())((pixels / 255 - mean) / std))
    np.testing.assert_allclose(to_numpy(raw(pixels)), expected, atol=1e-5)


def test_stochastic_depth_is_a_linear_ramp():
    model = tiny_regnety(drop_path_rate=0.3)
    rates = [layer.rate for layer in model.layers if isinstance(layer, StochasticDepth)]
    np.testing.assert_allclose(rates, np.linspace(0, 0.3, 7))


def test_blocks_start_as_their_shortcuts():
    model = tiny_regnety(include_top=False)
    block = keras.Model(
        model.get_layer("stage_3_block_1_relu3").output,
        model.get_layer("stage_3_block_2_relu3").output,
    )
    x = np.abs(images(2, 4, 4, 24))
    np.testing.assert_array_equal(to_numpy(block(x)), x)


def test_a_distiller_takes_it_as_teacher():
    teacher = tiny_regnety(input_shape=(32, 32, 3))
    before = weight_values(teacher)
    distiller = keras_cait.Distiller(tiny_deit(distilled=True, depth=1), teacher)
    distiller.compile("adamw", run_eagerly=True)  # one step repays no compiling
    log = distiller.train_on_batch(images(8, 32, 32, 3), np.arange(8), return_dict=True)
    assert np.isfinite(log["loss"])
    assert_equal_weights(teacher, before)


def test_a_training_step_changes_the_weights():
    model = tiny_regnety(input_shape=(16, 16, 3), drop_path_rate=0.1)
    before = weight_values(model)
    model.compile("sgd", "sparse_categorical_crossentropy", run_eagerly=True)
    assert np.isfinite(model.train_on_batch(images(8, 16, 16, 3), np.arange(8)))
    for name, value in weight_values(model).items():
        assert np.all(np.isfinite(value)), name
    for name in ("stem_conv/kernel", "stem_norm/moving_variance", "head/bias"):
        assert np.any(weight_values(model)[name] != before[name]), name


@pytest.mark.parametrize(
    ("arguments", "received"),
    [
        ({"input_shape": (64, 64)}, "input_shape=(64, 64)"),
        ({"input_shape": (None, 64, 3)}, "input_shape=(None, 64, 3)"),
        ({"depth": 0}, "depth=0"),
        ({"w0": -8}, "w0=-8"),
        ({"w0": 12}, "w0=12"),
        ({"wa": -1.0}, "wa=-1.0"),
        ({"wm": 1.0}, "wm=1.0"),
        ({"group_size": 0}, "group_size=0"),
        (
            {"depth": 2},
            "depth=2, w0=8, wa=8.0, wm=1.8, which make 2, of widths [8, 16]",
        ),
        ({"wm": 1.2}, "which make 7"),
        ({"se_ratio": 0}, "se_ratio=0"),
        ({"se_ratio": 1.5}, "se_ratio=1.5"),
        ({"se_ratio": 0.05}, "se_ratio=0.05"),
        ({"drop_path_rate": 1.0}, "drop_path_rate=1.0"),
        ({"classes": 0}, "classes=0"),
        ({"include_top": False, "pooling": "token"}, "pooling='token'"),
        ({"input_tensor": np.zeros((1, 64, 64, 3))}, "ndarray"),
    ],
    ids=str,
)
def test_a_bad_argument_is_refused_by_name(arguments, received):
    with pytest.raises(ValueError, match="Received: ") as error:
        tiny_regnety(**arguments)
    assert received in str(error.value)
