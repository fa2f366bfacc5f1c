"""Files with timm's names: written, loaded, or refused with the model unchanged."""

import json
import struct

import keras
import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import keras_cait
from tests.support.models.tiny_models import randomize, tiny_cait, tiny_deit, tiny_deit3
from tests.support.reference import manifest, weights
from tests.support.weights.weight_checks import (
    assert_equal_weights,
    load_fails,
    weight_values,
)

# Files without metadata; see tests/weights/metadata/test_source_metadata.py.
pytestmark = pytest.mark.filterwarnings("ignore:.* does not state the mean and std")


def tiny(**overrides):
    return tiny_deit(**{"depth": 1, "distilled": True, **overrides})


@pytest.fixture
def file(tmp_path):
    """Path of the weights of a model of the same layout as `tiny()`."""
    path = tmp_path / "model.safetensors"
    keras_cait.save_timm_weights(randomize(tiny()), path)
    return path


@pytest.mark.parametrize("distilled", [False, True])
def test_round_trip(distilled, tmp_path):
    model = randomize(tiny(distilled=distilled))
    keras_cait.save_timm_weights(model, tmp_path / "model.safetensors")
    restored = tiny(distilled=distilled)
    keras_cait.load_weights(restored, tmp_path / "model.safetensors")
    assert_equal_weights(restored, weight_values(model))


@pytest.mark.parametrize("name", ["deit", "deit_distilled", "deit3", "cait"])
def test_a_file_of_timm_is_written_as_it_was_read(name, tmp_path):
    families = {"deit3": tiny_deit3, "cait": tiny_cait}
    options = {"distilled": True} if name == "deit_distilled" else {}
    model = families.get(name, tiny_deit)(**options)
    keras_cait.load_weights(model, weights(f"tiny/{name}"))
    keras_cait.save_timm_weights(model, tmp_path / "model.safetensors")
    theirs, ours = (
        load_file(path)
        for path in (weights(f"tiny/{name}"), tmp_path / "model.safetensors")
    )
    assert sorted(ours) == sorted(theirs)
    for key, value in theirs.items():
        assert ours[key].dtype == value.dtype
        np.testing.assert_array_equal(ours[key], value)


@pytest.mark.parametrize("name", ["cait_xxs24_224", "deit_tiny_distilled_patch16_224"])
def test_a_file_of_the_published_shapes_loads_into_its_builder(name, tmp_path):
    generator = np.random.default_rng(0)
    tensors = {
        key: generator.standard_normal(shape, dtype="float32")
        for key, shape in manifest(name)["state_dict"].items()
    }
    save_file(tensors, tmp_path / "published.safetensors")
    model = keras_cait.create_model(name, weights=tmp_path / "published.safetensors")
    keras_cait.save_timm_weights(model, tmp_path / "ours.safetensors")
    ours = load_file(tmp_path / "ours.safetensors")
    assert ours.keys() == tensors.keys()
    assert all(np.array_equal(ours[key], tensors[key]) for key in tensors)


def test_stochastic_depth_needs_no_weights(file):
    keras_cait.load_weights(tiny(drop_path_rate=0.5, dropout_rate=0.1), file)


def test_half_precision_files_are_widened(file):
    tensors = load_file(file)
    save_file({k: v.astype("float16") for k, v in tensors.items()}, file)
    model = keras_cait.load_weights(tiny(), file)
    expected = tensors["cls_token"].astype("float16").astype("float32")
    np.testing.assert_array_equal(
        keras.ops.convert_to_numpy(model.get_layer("class_token").token.value), expected
    )


def test_all_tensors_that_differ_are_named(file):
    tensors = load_file(file)
    del tensors["head.weight"], tensors["blocks.0.attn.qkv.bias"]
    tensors["blocks.1.norm1.weight"] = tensors["norm.weight"].copy()
    tensors["gamma"] = np.zeros((2, 3), "float32")
    tensors["pos_embed"] = tensors["pos_embed"][:, :, 1:].copy()
    save_file(tensors, file)
    model = tiny(name="mine")
    with load_fails(
        model,
        "'mine'",
        "unchanged",
        f"Received: {file}, in which 5 tensor(s) differ",
        "missing: head.weight (10, 32)",
        "missing: blocks.0.attn.qkv.bias (96,)",
        "left over: blocks.1.norm1.weight (32,)",
        "left over: gamma (2, 3)",
        "shape: pos_embed should be (1, 18, 32) but is (1, 18, 31)",
    ):
        keras_cait.load_weights(model, file)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"classes": 7}, "shape: head_dist.bias should be (7,) but is (10,)"),
        ({"distilled": False}, "left over: dist_token (1, 1, 32)"),
        ({"depth": 2}, "missing: blocks.1.mlp.fc1.weight (128, 32)"),
        ({"embed_dim": 64}, "shape: norm.weight should be (64,) but is (32,)"),
        ({"patch_size": 16}, "patch_embed.proj.weight should be (32, 3, 16, 16)"),
    ],
    ids=str,
)
def test_files_of_other_models_are_refused(file, overrides, message):
    model = tiny(**overrides)
    with load_fails(model, message):
        keras_cait.load_weights(model, file)


def test_a_transposed_matrix_is_refused(file):
    tensors = load_file(file)
    tensors["head.weight"] = np.ascontiguousarray(tensors["head.weight"].T)
    save_file(tensors, file)
    model = tiny()
    with load_fails(model, "shape: head.weight should be (10, 32) but is (32, 10)"):
        keras_cait.load_weights(model, file)


@pytest.mark.parametrize("content", ["cut", "half a header", "empty", "foreign"])
def test_damaged_files_are_refused(file, content):
    whole = file.read_bytes()
    replacement = {
        "cut": whole[:-1],
        "half a header": whole[:100],
        "empty": b"",
        "foreign": b"<!doctype html>" * 100,
    }
    file.write_bytes(replacement[content])
    model = tiny()
    with load_fails(model, f"complete safetensors file. Received: {file}"):
        keras_cait.load_weights(model, file)


@pytest.mark.parametrize(
    ("dtype", "kind"),
    [
        ("int32", "I32"),
        ("bool", "BOOL"),
        ("complex64", "C64"),
        (ml_dtypes.float8_e4m3fn, "F8_E4M3"),
        (ml_dtypes.float8_e5m2, "F8_E5M2"),
    ],
)
def test_other_numbers_than_floating_point_ones_are_refused(dtype, kind, file):
    tensors = load_file(file)
    tensors["head.bias"] = tensors["head.bias"].astype(dtype)
    save_file(tensors, file)
    model = tiny()
    with load_fails(model, f"Received: {file}", f"head.bias: {kind}", "float32"):
        keras_cait.load_weights(model, file)


def test_numbers_that_are_not_finite_are_refused(file):
    tensors = load_file(file)
    tensors["norm.bias"][3:5] = np.nan
    tensors["pos_embed"][0, 0, 0] = np.inf
    save_file(tensors, file)
    for model in (tiny(), tiny(input_shape=(24, 48, 3))):
        with load_fails(
            model, "2 tensor(s) hold NaN", "norm.bias: 2 of 32", "pos_embed"
        ):
            keras_cait.load_weights(model, file)


@pytest.mark.parametrize(
    "changes",
    [
        {"data_offsets": [0, 40]},
        {"shape": [2**40, 2**40]},
        {"shape": [-1]},
        {"dtype": "F4"},
    ],
    ids=str,
)
def test_wrong_headers_are_refused(changes, file):
    content = file.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    header["head.bias"] |= changes
    written = json.dumps(header).encode()
    body = content[8 + length :]
    file.write_bytes(struct.pack("<Q", len(written)) + written + body)
    model = tiny()
    with load_fails(model, f"complete safetensors file. Received: {file}"):
        keras_cait.load_weights(model, file)
