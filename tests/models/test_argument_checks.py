"""Errors for arguments under the names of other libraries, or out of range."""

import keras
import numpy as np
import pytest

import keras_cait
from keras_cait.variants import VARIANTS
from tests.support.models.tiny_models import (
    tiny_cait,
    tiny_deit,
    tiny_deit3,
    tiny_regnety,
    to_numpy,
)

SLOW = pytest.mark.slow
FAMILIES = [tiny_cait, tiny_deit, tiny_deit3, tiny_regnety]
BUILDERS = [getattr(keras_cait, name) for name in VARIANTS]
BAD_VALUES = [
    ({"input_shape": 224}, "(height, width, channels), three whole numbers"),
    ({"input_shape": "224"}, "(height, width, channels), three whole numbers"),
    ({"input_shape": (224.0, 224.0, 3)}, "three whole numbers"),
    ({"input_shape": (True, 224, 3)}, "three whole numbers"),
    ({"input_shape": (3, 224, 224)}, "with the channels last: (224, 224, 3)"),
    ({"input_shape": (1, 64, 224)}, "with the channels last: (64, 224, 1)"),
    ({"classes": "3"}, "`classes` must be a whole number of 1 or more"),
    ({"classes": True}, "`classes` must be a whole number of 1 or more"),
    ({"classes": 2.5}, "`classes` must be a whole number of 1 or more"),
    ({"classes": 0}, "`classes` must be a whole number of 1 or more"),
    ({"classes": None}, "`classes` must be a whole number of 1 or more"),
    ({"drop_path_rate": "0.1"}, "`drop_path_rate` must be a number in [0, 1)"),
    ({"drop_path_rate": float("nan")}, "`drop_path_rate` must be a number in [0, 1)"),
    ({"input_tensor": "images"}, "`input_tensor` must be a symbolic Keras tensor"),
]
BAD_NAMES = [
    ({"num_classes": 10}, "take `classes`"),
    ({"pretrained": True}, 'take `weights`: "imagenet" for published ones'),
    ({"img_size": 224}, "take `input_shape`: (height, width, channels)"),
    ({"in_chans": 1}, "take the last number of `input_shape`"),
    ({"global_pool": "avg"}, "take `pooling`"),
    ({"class": 10}, "Did you mean classes?"),
]


def check_refused(build, arguments, message, kind):
    with pytest.raises(kind) as error:
        build(**arguments)
    (name, value), *_ = arguments.items()
    assert message in str(error.value)
    assert "Received: " in str(error.value)
    if name != "input_tensor":
        assert f"{name}={value!r}" in str(error.value)


@pytest.mark.parametrize("build", FAMILIES)
def test_families_refuse_bad_values(build):
    for arguments, message in BAD_VALUES:
        # All families make the head in one place, after everything else.
        if "classes" not in arguments:
            check_refused(build, arguments, message, ValueError)


@pytest.mark.parametrize(("arguments", "message"), BAD_VALUES, ids=str)
def test_a_bad_value_is_named(arguments, message):
    check_refused(tiny_deit, {**arguments, "depth": 1}, message, ValueError)


@pytest.mark.parametrize("build", FAMILIES)
def test_families_name_the_argument_of_keras(build):
    for arguments, message in BAD_NAMES:
        check_refused(build, arguments, message, TypeError)


@pytest.mark.parametrize("build", BUILDERS, ids=VARIANTS)
def test_builders_refuse_the_same(build):
    for arguments, message in BAD_VALUES:
        check_refused(build, {**arguments, "weights": None}, message, ValueError)
    for arguments, message in BAD_NAMES:
        check_refused(build, {**arguments, "weights": None}, message, TypeError)


@pytest.mark.parametrize(
    ("weights", "hint"),
    [
        ("imagnet", "Did you mean imagenet?"),
        ("ImageNet", "Did you mean imagenet?"),
        ("random", '"imagenet", or None for random weights'),
        ("", '"imagenet", or None for random weights'),
        (True, '"imagenet", or None for random weights'),
        (False, '"imagenet", or None for random weights'),
        (3, '"imagenet", or None for random weights'),
    ],
)
def test_builders_refuse_weights_that_do_not_exist(weights, hint):
    for build in BUILDERS:
        with pytest.raises(ValueError, match=f"Received: weights={weights!r}") as error:
            build(weights=weights)
        assert hint in str(error.value)


def test_a_missing_file_is_reported_before_the_model_is_built():
    with pytest.raises(FileNotFoundError, match=r"nowhere\.safetensors"):
        keras_cait.CaiT_M48(weights="nowhere.safetensors")


def test_arguments_of_timm_are_named_all_at_once():
    with pytest.raises(TypeError) as error:
        keras_cait.create_model("cait_m48_448", num_classes=10, pretrained=True)
    for text in ("CaiT_M48 has no argument", "`num_classes`", "`pretrained`"):
        assert text in str(error.value)


@pytest.mark.parametrize(
    "arguments", [{"depth": "2"}, {"depth": 2.5}, {"mlp_ratio": "4"}]
)
@pytest.mark.parametrize("build", [tiny_cait, tiny_deit, tiny_deit3])
def test_sizes_must_be_numbers(build, arguments):
    (name,) = arguments
    with pytest.raises(ValueError, match=f"`{name}` must be a .*number.* Received: "):
        build(**arguments)


def test_numbers_of_numpy_are_numbers():
    rate = np.float32(0.1)
    model = tiny_deit(depth=np.int64(1), classes=np.int32(3), drop_path_rate=rate)
    assert model.output_shape == (None, 3)


@pytest.mark.parametrize("classes", [0, None])
def test_without_a_head_classes_may_be_anything(classes):
    assert tiny_deit(depth=1, include_top=False, classes=classes).layers


def test_flat_images_are_accepted():
    # One row of pixels, in patches of one pixel.
    model = tiny_deit(depth=1, input_shape=(1, 32, 8), patch_size=1)
    assert model.input_shape == (None, 1, 32, 8)


@pytest.mark.parametrize(
    "build",
    [
        tiny_deit,
        *(pytest.param(each, marks=SLOW) for each in FAMILIES if each is not tiny_deit),
    ],
)
def test_two_models_stand_in_one_graph(build):
    depth = {} if build is tiny_regnety else {"depth": 1}
    first, second = build(**depth), build(**depth)
    assert first.name != second.name
    inputs = keras.Input(first.input_shape[1:])
    outputs = keras.layers.average([first(inputs), second(inputs)])
    both = keras.Model(inputs, outputs)
    images = np.ones((1, *first.input_shape[1:]), "float32")
    mean = (to_numpy(first(images)) + to_numpy(second(images))) / 2
    np.testing.assert_allclose(to_numpy(both(images)), mean, atol=1e-6)


def test_default_names_count_up():
    keras.backend.clear_session()
    names = [tiny_deit(depth=1).name for _ in range(3)]
    assert names == ["deit", "deit_1", "deit_2"]
    assert tiny_deit(depth=1, name="deit").name == "deit"


@pytest.mark.parametrize(
    ("wrong", "near"),
    [
        ("DeiT_Tiny", "DeiT_Ti"),
        ("DeiT_Base_Distilled", "DeiT_B_Distilled"),
        ("Cait_S24", "CaiT_S24"),
        ("load_weight", "load_weights"),
    ],
)
def test_the_package_suggests_the_nearest_name(wrong, near):
    with pytest.raises(AttributeError, match=f"'{wrong}'. Did you mean {near}?"):
        getattr(keras_cait, wrong)
    assert not hasattr(keras_cait, "__path_of_nothing__")
