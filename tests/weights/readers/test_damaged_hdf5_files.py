"""A damaged file is refused, and the model keeps every bit of its weights."""

import shutil
import zipfile

import h5py
import keras
import numpy as np
import pytest

import keras_cait
from tests.support.models.tiny_models import randomize, tiny_deit, to_numpy
from tests.support.weights.damaged_files import DAMAGES, damage, places
from tests.support.weights.weight_checks import (
    assert_equal_weights,
    load_fails,
    weight_values,
)


@pytest.fixture(scope="module")
def model():
    return tiny_deit(depth=1, distilled=True)


@pytest.fixture(scope="module")
def whole(model, tmp_path_factory):
    """Path of the weights of another model of the same layout."""
    path = tmp_path_factory.mktemp("whole") / "model.weights.h5"
    randomize(tiny_deit(depth=1, distilled=True)).save_weights(path)
    return path


def in_an_archive(path):
    """The weights in a `.keras` file beside them."""
    archive = path.with_name("model.keras")
    with zipfile.ZipFile(archive, "w") as made:
        made.write(path, "model.weights.h5")
    return archive


@pytest.mark.parametrize("kind", DAMAGES)
def test_one_damaged_tensor_is_refused(kind, model, whole, tmp_path):
    path = shutil.copy(whole, tmp_path / "model.weights.h5")
    damage(path, "layers/position_embedding/vars/0", kind)
    with load_fails(model, f"Received: {path}"):
        keras_cait.load_weights(model, path)


def test_a_damaged_tensor_in_an_archive_is_refused(model, whole, tmp_path):
    path = shutil.copy(whole, tmp_path / "model.weights.h5")
    damage(path, "layers/dense_1/vars/0", "a bit under fletcher32")
    archive = in_an_archive(path)
    with load_fails(model, f"Received: {archive}"):
        keras_cait.load_weights(model, archive)


@pytest.mark.slow
@pytest.mark.parametrize("kind", DAMAGES)
def test_any_damaged_tensor_is_refused(kind, model, whole, tmp_path):
    path = tmp_path / "model.weights.h5"
    for place in places(whole):
        shutil.copy(whole, path)
        damage(path, place, kind)
        archive = in_an_archive(path)
        for file in (path, archive):
            with load_fails(model, f"Received: {file}"):
                keras_cait.load_weights(model, file)


def test_bad_values_are_named_with_their_number(model, whole, tmp_path):
    path = shutil.copy(whole, tmp_path / "model.weights.h5")
    damage(path, "layers/dense/vars/0", "NaN")
    damage(path, "layers/class_token/vars/0", "infinity")
    with load_fails(
        model,
        "2 tensor(s) hold NaN or infinity",
        "layers/dense/vars/0: 1 of 320",
        "layers/class_token/vars/0: 1 of 32",
    ):
        keras_cait.load_weights(model, path)


def test_other_numbers_are_named_with_their_type(model, whole, tmp_path):
    path = shutil.copy(whole, tmp_path / "model.weights.h5")
    damage(path, "layers/dense/vars/0", "complex64")
    damage(path, "layers/dense/vars/1", "string")
    with load_fails(
        model,
        "2 tensor(s) hold others",
        "layers/dense/vars/0: complex64",
        "layers/dense/vars/1: string",
    ):
        keras_cait.load_weights(model, path)


@pytest.mark.parametrize(
    "options",
    [
        {"dtype": "float16"},
        {"dtype": "float64"},
        {"dtype": ">f4"},
        {"compression": "gzip", "shuffle": True, "fletcher32": True},
        {"chunks": True},
    ],
    ids=str,
)
def test_other_ways_to_store_the_same_numbers_load(options, model, whole, tmp_path):
    path = shutil.copy(whole, tmp_path / "model.weights.h5")
    before = weight_values(model)
    with h5py.File(path, "r+") as file:
        for place in places(whole):
            value = file[place][()]
            del file[place]
            file.create_dataset(place, data=value, **options)
    keras_cait.load_weights(model, path)
    for found, expected in zip(
        weight_values(model).values(),
        weight_values(randomize(tiny_deit(depth=1, distilled=True))).values(),
        strict=True,
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-6)
    for weight, value in zip(model.weights, before.values(), strict=True):
        weight.assign(value)


@pytest.mark.parametrize(
    ("theirs", "ours"), [("bfloat16", "float32"), ("float32", "bfloat16")]
)
def test_half_precision_is_converted(theirs, ours, tmp_path):
    def build(policy):
        before = keras.config.dtype_policy()
        keras.config.set_dtype_policy(policy)
        try:
            return tiny_deit(depth=1)
        finally:
            keras.config.set_dtype_policy(before)

    source = randomize(build(theirs))
    source.save_weights(tmp_path / "model.weights.h5")
    model = build(ours)
    keras_cait.load_weights(model, tmp_path / "model.weights.h5")
    assert {weight.dtype for weight in model.weights} == {ours}
    for found, expected in zip(model.weights, source.weights, strict=True):
        value = to_numpy(expected).astype("bfloat16").astype("float32")
        np.testing.assert_array_equal(to_numpy(found).astype("float32"), value)


def test_a_number_too_large_for_the_model_s_type_is_refused(tmp_path):
    source = randomize(tiny_deit(depth=1))
    source.layers[-2].bias.assign(np.full(10, 1e5, "float32"))
    source.save_weights(tmp_path / "model.weights.h5")
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float16")
    try:
        model = tiny_deit(depth=1)
    finally:
        keras.config.set_dtype_policy(before)
    with load_fails(model, "layers/dense/vars/1: 10 of 10"):
        keras_cait.load_weights(model, tmp_path / "model.weights.h5")


def error_of(model, path):
    """The message of the error that the file causes; None if it loads."""
    try:
        keras_cait.load_weights(model, path)
    except ValueError as error:
        return str(error)
    return None


@pytest.mark.parametrize(
    "times", [4, pytest.param(300, marks=pytest.mark.slow, id="300")]
)
def test_random_damage_is_refused_or_changes_values_alone(
    times, model, whole, tmp_path
):
    generator = np.random.default_rng(0)
    content = whole.read_bytes()
    path = tmp_path / "model.weights.h5"
    before = weight_values(model)
    for _ in range(times):
        damaged = bytearray(content)
        # Most of the structure is at the ends.
        start = int(generator.beta(0.3, 0.3) * len(content))
        length = int(generator.integers(1, 64))
        damaged[start : start + length] = generator.bytes(length)
        path.write_bytes(damaged)
        message = error_of(model, path)
        if message is not None:
            assert str(path) in message
            assert_equal_weights(model, before)
            continue
        for value in weight_values(model).values():
            assert np.isfinite(value).all()
        for weight, value in zip(model.weights, before.values(), strict=True):
            weight.assign(value)
