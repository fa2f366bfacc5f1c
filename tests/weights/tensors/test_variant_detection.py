"""Detection of the published variant of a file."""

import numpy as np
import pytest
from safetensors.numpy import save_file

import keras_cait
from keras_cait.variants import VARIANTS
from keras_cait.weights.tensors.variant_detection import variant_name
from tests.support.models.tiny_models import tiny_deit, without_values
from tests.support.reference import TIMM_NAMES, manifest
from tests.support.weights.weight_checks import load_fails


@pytest.mark.parametrize("timm_name", TIMM_NAMES)
def test_published_files_are_recognized(timm_name):
    name = variant_name(manifest(timm_name)["state_dict"])
    assert name is not None
    assert timm_name in [row.timm_name for row in VARIANTS[name].checkpoints]


def test_other_sizes_are_not_recognized():
    assert variant_name({}) is None
    assert (
        variant_name({"norm.weight": (192,), "blocks.0.norm1.weight": (192,)}) is None
    )


def test_the_error_names_the_variant_of_the_file(tmp_path):
    path = tmp_path / "somebody.safetensors"
    shapes = manifest("deit_tiny_patch16_224")["state_dict"]
    save_file({key: np.zeros(shape, "float32") for key, shape in shapes.items()}, path)
    model = tiny_deit()
    with load_fails(model, "The file looks like one of DeiT_Ti.", str(path)):
        keras_cait.load_weights(model, path)


def test_a_damaged_file_of_the_right_variant_names_no_variant(tmp_path):
    path = tmp_path / "somebody.safetensors"
    shapes = manifest("deit_tiny_patch16_224")["state_dict"]
    shapes.pop("norm.bias")
    save_file({key: np.zeros(shape, "float32") for key, shape in shapes.items()}, path)
    with (
        without_values(),
        pytest.raises(ValueError, match=r"missing: norm\.bias") as error,
    ):
        keras_cait.DeiT_Ti(weights=path)
    assert "looks like" not in str(error.value)
