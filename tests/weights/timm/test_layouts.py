"""Layouts of the official checkpoints and of timm's."""

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import keras_cait
from keras_cait.weights.timm.layouts import to_official_layout, to_timm_layout
from tests.support.models.tiny_models import tiny_cait, tiny_deit3
from tests.support.reference import weights
from tests.support.weights.weight_checks import (
    assert_equal_weights,
    load_fails,
    weight_values,
)


def test_timm_s_own_layout_is_unchanged():
    tensors = load_file(weights("tiny/cait"))
    found = to_timm_layout(tensors)
    assert {name: id(tensor) for name, tensor in found.items()} == {
        name: id(tensor) for name, tensor in tensors.items()
    }


@pytest.mark.parametrize("name", ["cait", "deit", "deit3"])
def test_the_official_layout_is_the_inverse(name):
    tensors = load_file(weights(f"tiny/{name}"))
    official = to_official_layout(tensors)
    assert ("module.cls_token" in official["model"]) == (name == "cait")
    assert ("blocks.0.gamma_1" in official["model"]) == (name == "deit3")
    assert to_timm_layout(official) == tensors


@pytest.mark.parametrize("key", ["model", "state_dict"])
def test_entries_beside_the_weights_are_dropped(key):
    content = {"epoch": 3, key: {"norm.bias": 1}, "optimizer": {"state": {}}}
    assert to_timm_layout(content) == {"norm.bias": 1}


@pytest.mark.parametrize(
    ("family", "name", "rename"),
    [
        (tiny_cait, "cait", lambda key: f"module.{key}"),
        (tiny_deit3, "deit3", lambda key: key.replace("ls1.gamma", "gamma_1")),
        (tiny_deit3, "deit3", lambda key: key.replace("ls2.gamma", "gamma_2")),
    ],
)
def test_official_names_load(family, name, rename, tmp_path):
    tensors = load_file(weights(f"tiny/{name}"))
    path = tmp_path / "official.safetensors"
    save_file({rename(key): tensor for key, tensor in tensors.items()}, path)
    found = keras_cait.load_weights(family(), path)
    expected = keras_cait.load_weights(family(), weights(f"tiny/{name}"))
    assert_equal_weights(found, weight_values(expected))


def test_half_precision_is_widened(tmp_path):
    import ml_dtypes

    tensors = load_file(weights("tiny/cait"))
    half = {key: value.astype(ml_dtypes.bfloat16) for key, value in tensors.items()}
    save_file(half, tmp_path / "half.safetensors")
    model = keras_cait.load_weights(tiny_cait(), tmp_path / "half.safetensors")
    kernel, _ = model.get_layer("head").get_weights()
    assert kernel.dtype == "float32"
    np.testing.assert_array_equal(kernel, half["head.weight"].astype("float32").T)


@pytest.mark.parametrize(
    ("other", "name"),
    [("module.norm.weight", "norm.weight"), ("blocks.0.gamma_1", "blocks.0.ls1.gamma")],
)
def test_two_tensors_of_one_name_are_refused(other, name, tmp_path):
    tensors = load_file(weights("tiny/deit3"))
    path = tmp_path / "twice.safetensors"
    save_file({**tensors, other: tensors[name].copy()}, path)
    model = tiny_deit3()
    with load_fails(model, f"Received: {path}", f"two tensors are both {name}"):
        keras_cait.load_weights(model, path)
