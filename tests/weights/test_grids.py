"""Files of every kind load at another image size, or are refused."""

import zipfile

import h5py
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import keras_cait
from keras_cait.weights.tensors.position_embedding import resample_grid
from tests.support.models.tiny_models import (
    randomize,
    tiny_cait,
    tiny_deit,
    tiny_deit3,
    to_numpy,
)
from tests.support.weights.weight_checks import (
    assert_equal_weights,
    load_fails,
    weight_values,
    write_weights,
)

PLACE = "layers/position_embedding/vars"
# Height and width of the file's images and of the model's; a patch has 8 pixels.
SIZES = [
    ((16, 64), (32, 32)),
    ((16, 64), (64, 16)),
    ((32, 32), (16, 64)),
    ((32, 32), (24, 48)),
    ((16, 24), (40, 8)),
    ((8, 8), (32, 16)),
    ((16, 64), (16, 64)),
]
FAMILIES = {
    "cait": (tiny_cait, {"class_attention_depth": 1}),
    "deit": (tiny_deit, {}),
    "distilled": (tiny_deit, {"distilled": True}),
    "deit3": (tiny_deit3, {}),
}
# One pair of sizes and one kind of file for each family; the others at night.
CASES = [
    pytest.param(
        suffix,
        family,
        *sizes,
        marks=[] if index == number and kind == number % 2 else pytest.mark.slow,
        id=f"{suffix}-{family}-{sizes}",
    )
    for kind, suffix in enumerate([".weights.h5", ".keras"])
    for number, family in enumerate(FAMILIES)
    for index, sizes in enumerate(SIZES)
]


def build(family, size=(32, 32)):
    function, settings = FAMILIES[family]
    return function(depth=1, input_shape=(*size, 3), **settings)


def without_grid(path):
    """Removes the grid from a `.weights.h5` file, as in files of older versions."""
    with h5py.File(path, "r+") as file:
        del file[PLACE].attrs["grid_size"]
    return path


@pytest.mark.parametrize(("suffix", "family", "theirs", "ours"), CASES)
def test_a_file_of_keras_loads_as_a_safetensors_file_does(
    suffix, family, theirs, ours, tmp_path
):
    source = randomize(build(family, theirs))
    model, expected = build(family, ours), build(family, ours)
    keras_cait.load_weights(model, write_weights(source, tmp_path / f"model{suffix}"))
    path = write_weights(source, tmp_path / "model.safetensors")
    keras_cait.load_weights(expected, path)
    assert_equal_weights(model, weight_values(expected))
    # Both are the resampled embedding, with the file's grid and not another.
    layers = [each.get_layer("position_embedding") for each in (source, model)]
    before, after = (to_numpy(layer.position_embedding)[0] for layer in layers)
    prefix = layers[0].num_prefix_tokens
    grid = before[prefix:].reshape(*layers[0].grid_size, -1)
    resampled = resample_grid(grid, layers[1].grid_size)
    np.testing.assert_array_equal(after[:prefix], before[:prefix])
    np.testing.assert_allclose(
        after[prefix:], resampled.reshape(-1, 32), rtol=0, atol=1e-6
    )


def test_antialias_selects_the_smoothed_form(tmp_path):
    path = write_weights(randomize(build("deit3")), tmp_path / "model.keras")
    plain, smooth = build("deit3", (16, 16)), build("deit3", (16, 16))
    keras_cait.load_weights(plain, path)
    keras_cait.load_weights(smooth, path, antialias=True)
    first, second = (
        to_numpy(model.get_layer("position_embedding").position_embedding)
        for model in (plain, smooth)
    )
    assert np.abs(first - second).max() > 0.01


def test_the_grid_is_an_attribute_and_not_a_tensor_of_the_file(tmp_path):
    # So that earlier versions, and Keras by itself, read the same tensors as before.
    with h5py.File(write_weights(build("deit"), tmp_path / "model.weights.h5")) as file:
        assert list(file[PLACE]) == ["0"]
        assert tuple(file[PLACE].attrs["grid_size"]) == (4, 4)


def test_a_square_file_without_its_grid_loads_at_another_size(tmp_path):
    source = randomize(build("deit"))
    path = without_grid(write_weights(source, tmp_path / "model.weights.h5"))
    same = keras_cait.load_weights(build("deit"), path)
    assert_equal_weights(same, weight_values(source))
    model = keras_cait.load_weights(build("deit", (24, 48)), path)
    expected = build("deit", (24, 48))
    keras_cait.load_weights(
        expected, write_weights(source, tmp_path / "model.safetensors")
    )
    assert_equal_weights(model, weight_values(expected))


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [((16, 64), (16, 64)), ((16, 24), (16, 24)), ((16, 24), (32, 32))],
)
def test_a_rectangular_file_without_its_grid_is_refused(theirs, ours, tmp_path):
    source = randomize(build("deit", theirs))
    path = without_grid(write_weights(source, tmp_path / "model.weights.h5"))
    model = build("deit", ours)
    with load_fails(
        model, "must state the grid", f"Received: {path}", "grid_size=(rows"
    ):
        keras_cait.load_weights(model, path)
    # The error's advice works.
    grid = (theirs[0] // 8, theirs[1] // 8)
    keras_cait.load_weights(model, path, grid_size=grid)
    expected = build("deit", ours)
    keras_cait.load_weights(
        expected, write_weights(source, tmp_path / "model.safetensors")
    )
    assert_equal_weights(model, weight_values(expected))


def test_a_grid_of_another_number_of_patches_is_refused(tmp_path):
    path = write_weights(build("deit", (16, 24)), tmp_path / "model.weights.h5")
    without_grid(path)
    model = build("deit")
    with load_fails(model, "as many patches as its position embedding, 6", "4 x 4"):
        keras_cait.load_weights(model, path, grid_size=(4, 4))


def test_an_older_archive_states_its_grid_in_its_configuration(tmp_path):
    source = randomize(build("deit", (16, 64)))
    write_weights(source, tmp_path / "new.keras")
    with zipfile.ZipFile(tmp_path / "new.keras") as archive:
        archive.extractall(tmp_path)
    without_grid(tmp_path / "model.weights.h5")
    with zipfile.ZipFile(tmp_path / "old.keras", "w") as archive:
        for name in ("config.json", "model.weights.h5"):
            archive.write(tmp_path / name, name)
    model = keras_cait.load_weights(build("deit"), tmp_path / "old.keras")
    expected = keras_cait.load_weights(build("deit"), tmp_path / "new.keras")
    assert_equal_weights(model, weight_values(expected))


@pytest.mark.parametrize("ours", [(16, 24), (24, 16), (32, 32)])
def test_a_rectangular_file_of_timm_needs_its_grid(ours, tmp_path):
    source = randomize(build("cait", (16, 24)))
    path = write_weights(source, tmp_path / "model.safetensors")
    theirs = tmp_path / "theirs.safetensors"
    save_file(load_file(path), theirs)
    model, expected = build("cait", ours), build("cait", ours)
    with load_fails(
        model, "must state the grid", f"Received: {theirs}", "grid_size=(rows"
    ):
        keras_cait.load_weights(model, theirs)
    keras_cait.load_weights(model, theirs, grid_size=(2, 3))
    keras_cait.load_weights(expected, path)
    assert_equal_weights(model, weight_values(expected))


@pytest.mark.filterwarnings("ignore:Skipping nested container")  # once it has failed
def test_keras_itself_refuses_another_grid(tmp_path):
    path = write_weights(
        randomize(build("deit", (16, 64))), tmp_path / "model.weights.h5"
    )
    message = r"Received: those of \(2, 8\)\..*keras_cait\.load_weights resamples them"
    with pytest.raises(ValueError, match=message):
        build("deit").load_weights(path)
    same = build("deit", (16, 64))
    same.load_weights(path)
    assert_equal_weights(same, weight_values(randomize(build("deit", (16, 64)))))
