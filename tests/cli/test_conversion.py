"""Checkpoints keep their numbers, image size and classes in every format."""

import keras
import numpy as np
import pytest

import keras_cait
from keras_cait.cli.app import main
from tests.support.models.tiny_models import randomize

NAMES = ("ant", "bee", "cat")
SUFFIXES = [".safetensors", pytest.param(".keras", marks=pytest.mark.slow)]


@pytest.fixture(scope="module")
def original():
    """A published size at another image size, with classes of its own."""
    model = keras_cait.DeiT_Ti(
        weights=None,
        input_shape=(48, 32, 3),
        classes=3,
        class_names=NAMES,
        include_preprocessing=True,
    )
    return randomize(model)


def images(seed=0):
    return np.random.default_rng(seed).uniform(0, 255, (2, 48, 32, 3)).astype("float32")


def converted(*arguments, capsys):
    assert main(["convert", *map(str, arguments)]) == 0, capsys.readouterr().err
    assert "parameters" in capsys.readouterr().out


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_model_comes_back_as_it_was(suffix, original, tmp_path, capsys):
    original.save(tmp_path / "model.keras")
    there, back = tmp_path / f"there{suffix}", tmp_path / "back.keras"
    converted(tmp_path / "model.keras", there, capsys=capsys)
    converted(there, back, capsys=capsys)
    found = keras.saving.load_model(back)
    assert found.input_shape == (None, 48, 32, 3)
    assert keras_cait.class_names_of(found) == NAMES
    np.testing.assert_allclose(
        found.predict(images(), verbose=0),
        original.predict(images(), verbose=0),
        atol=1e-6,
    )
    assert main(["convert", str(there), str(back)]) == 2
    assert "pass --overwrite" in capsys.readouterr().err


@pytest.mark.parametrize(
    "name",
    [
        "DeiT_Ti_Distilled",
        *(pytest.param(x, marks=pytest.mark.slow) for x in ("DeiT3_S", "CaiT_XXS24")),
    ],
)
def test_tensors_tell_variant_image_size_and_classes(name, tmp_path, capsys):
    sizes = {"input_shape": (64, 64, 3), "classes": 7}
    model = keras_cait.create_model(name, weights=None, **sizes)
    keras_cait.save_timm_weights(randomize(model), tmp_path / "model.safetensors")
    converted(tmp_path / "model.safetensors", tmp_path / "m.keras", capsys=capsys)
    found = keras.saving.load_model(tmp_path / "m.keras")
    assert (found.input_shape, found.output_shape) == ((None, 64, 64, 3), (None, 7))
    assert [w.shape for w in found.weights] == [w.shape for w in model.weights]
    for ours, theirs in zip(found.weights, model.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_weights_file_needs_the_name_of_its_model(tmp_path, capsys):
    model = randomize(keras_cait.DeiT_Ti(weights=None, include_preprocessing=True))
    model.save_weights(tmp_path / "model.weights.h5")
    arguments = [tmp_path / "model.weights.h5", tmp_path / "m.safetensors"]
    converted(*arguments, "--model", "DeiT_Ti", capsys=capsys)
    same = keras_cait.DeiT_Ti(weights=tmp_path / "m.safetensors")
    for ours, theirs in zip(same.weights, model.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_sizes_that_were_not_published_are_refused(tmp_path, capsys):
    other = keras_cait.DeiT(
        input_shape=(16, 16, 3), patch_size=8, embed_dim=8, depth=1, num_heads=2
    )
    keras_cait.save_timm_weights(other, tmp_path / "other.safetensors")
    source, target = str(tmp_path / "other.safetensors"), tmp_path / "other.keras"
    assert main(["convert", source, str(target)]) == 2
    assert "sizes of no published variant" in capsys.readouterr().err
    assert not target.exists()
