"""Each flag of finetune.py with each source of weights: applied, or an error."""

import numpy as np
import pytest

import keras_cait
from keras_cait import Preprocessing
from keras_cait.data.sources.load import load_dataset
from keras_cait.training.programs.finetune import (
    FILES,
    FinetuningSettings,
    build_model,
    model_choices,
)
from keras_cait.training.run import Run
from tests.support.data.pictures import write_pictures
from tests.support.models.tiny_models import randomize, to_numpy

CLASSES = ("dawn", "day", "night")
OWN = Preprocessing(mean=(0.5,) * 3, std=(0.25,) * 3, crop_pct=0.8)
SLOW = pytest.mark.slow


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    for part in ("train", "test"):
        write_pictures(folder / part, CLASSES, number=2)
    return load_dataset(data_dir=folder)


@pytest.fixture(scope="module")
def source():
    """A published architecture, its classes in another order than the folder's."""
    model = keras_cait.DeiT_Ti(
        weights=None,
        input_shape=(16, 16, 3),
        classes=3,
        class_names=CLASSES[::-1],
        preprocessing=OWN,
        drop_path_rate=0.0,
        dropout_rate=0.1,
    )
    return randomize(model)


@pytest.fixture(params=[".keras", pytest.param(".safetensors", marks=SLOW)])
def weights(request, source, tmp_path):
    """The flags that name them, and whether they are a `.keras` file."""
    path = tmp_path / f"model{request.param}"
    if request.param == ".keras":
        source.save(path)
        return {"weights": str(path)}
    keras_cait.save_timm_weights(source, path)
    return {"weights": str(path), "model": "DeiT_Ti"}


def built(data, **flags):
    config = FinetuningSettings(
        batch_size=2, mixup=0.0, cutmix=0.0, smoothing=0.0, **flags
    )
    return build_model(config, Run(config, data, FILES))


def test_weights_classes_and_preprocessing_come_from_the_file(weights, source, data):
    model = built(data, **weights)
    assert keras_cait.class_names_of(model) == CLASSES
    assert keras_cait.preprocessing_for(model) == OWN.of_model((16, 16, 3))
    assert model_choices(model)["drop_path_rate"] == 0.1  # the published one
    pixels = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3)).astype("float32")
    expected = source(keras_cait.preprocess_input(pixels, preprocessing=OWN))
    np.testing.assert_allclose(
        to_numpy(model(pixels)), to_numpy(expected)[:, ::-1], rtol=1e-3, atol=1e-5
    )
    if weights["weights"].endswith(".keras"):
        assert model.get_layer("position_dropout").rate == 0.1


def test_flags_override_the_file(weights, data):
    flags = {"drop_path_rate": 0.25, "image_size": 32, "mean": (0.1, 0.2, 0.3)}
    model = built(data, **weights, **flags)
    found = keras_cait.preprocessing_for(model)
    assert found.image_size == (32, 32)
    assert (found.mean, found.std) == ((0.1, 0.2, 0.3), OWN.std)
    assert found.crop_pct == OWN.crop_pct
    assert model_choices(model)["drop_path_rate"] == 0.25


@SLOW
def test_a_model_flag_overrides_the_architecture_of_a_keras_file(
    source, data, tmp_path
):
    source.save(tmp_path / "model.keras")
    path = str(tmp_path / "model.keras")
    model = built(data, weights=path, model="deit_tiny_patch16_224")
    assert model_choices(model)["drop_path_rate"] == 0.1
    assert model.get_layer("position_dropout").rate == 0.0  # the named model's
    with pytest.raises(ValueError, match="do not fit the model"):
        built(data, weights=path, model="DeiT_Ti_Distilled")


@SLOW
def test_weights_without_mean_and_std_give_a_warning(source, data, tmp_path):
    from safetensors.numpy import load_file, save_file

    path = tmp_path / "model.safetensors"
    keras_cait.save_timm_weights(source, path)
    save_file(load_file(path), path)
    flags = {"weights": str(path), "model": "DeiT_Ti"}
    with pytest.warns(UserWarning, match="does not state the mean and std"):
        built(data, **flags)
    model = built(data, **flags, mean=(0.5,) * 3, std=(0.5,) * 3)
    assert keras_cait.preprocessing_for(model).mean == (0.5,) * 3


def test_from_scratch_only_the_weights_are_left_out(weights, source, data):
    config = FinetuningSettings(
        batch_size=2, mixup=0.0, cutmix=0.0, smoothing=0.0, **weights
    )
    model = build_model(config, Run(config, data, FILES), scratch=True)
    assert keras_cait.preprocessing_for(model).mean == OWN.mean
    kernel = model.get_layer("block_0_feed_forward").get_weights()[0]
    assert kernel.std() < 0.03
