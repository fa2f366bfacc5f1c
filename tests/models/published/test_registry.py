import pytest

import keras_cait
from keras_cait.models.published import building
from keras_cait.variants import VARIANTS
from tests.support.models.tiny_models import tiny_deit, without_values
from tests.support.reference import TIMM_NAMES, manifest


def test_every_manifest_is_listed():
    assert keras_cait.list_models() == TIMM_NAMES
    assert keras_cait.list_models("cait_s24*") == ["cait_s24_224", "cait_s24_384"]
    assert keras_cait.list_models("nothing") == []


@pytest.mark.parametrize("name", ["cait_xxs24_384", "deit3_base_patch16_384"])
def test_a_name_gives_the_image_size(name):
    with without_values():
        model = keras_cait.create_model(name, weights=None, classes=7)
    _, *size = manifest(name)["input_size"]
    assert model.input_shape == (None, *size, 3)
    assert model.output_shape == (None, 7)


def test_builders_names_and_arguments_are_accepted():
    with without_values():
        model = keras_cait.create_model(
            "CaiT_XXS24", weights=None, input_shape=(32, 48, 3), distilled=True
        )
    assert model.input_shape == (None, 32, 48, 3)
    assert model.get_layer("head_distillation")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("cait_s24_384", "hf://timm/cait_s24_384.fb_dist_in1k"),
        ("deit3_small_patch16_224", "hf://timm/deit3_small_patch16_224.fb_in1k"),
        (
            "deit3_small_patch16_224.fb_in22k_ft_in1k",
            "hf://timm/deit3_small_patch16_224.fb_in22k_ft_in1k",
        ),
    ],
)
def test_imagenet_is_the_checkpoint_of_the_name(name, expected, monkeypatch):
    asked = []

    def note(model, source, **_):
        asked.append(source)

    monkeypatch.setattr(building, "load_tensors", note)
    with without_values():
        keras_cait.create_model(name)
    assert asked == [expected]


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("cait_s24_225", "cait_s24_224"),
        ("CaiT-S24", "CaiT_S24"),
        ("cait_s24_224.fb_in1k", "cait_s24_224.fb_dist_in1k"),
    ],
)
def test_unknown_names_get_the_nearest_one(name, near):
    with pytest.raises(
        ValueError, match=rf"Received: '{name}'\. Did you mean {near}\?"
    ):
        keras_cait.create_model(name)


@pytest.mark.parametrize("name", TIMM_NAMES)
def test_preprocessing_is_that_of_the_checkpoint(name):
    found = keras_cait.preprocessing_for(name)
    record = manifest(name)
    assert list(found.mean) == record["mean"]
    assert list(found.std) == record["std"]
    assert found.crop_pct == record["crop_pct"]
    assert found.interpolation == record["interpolation"]
    assert [3, *found.size] == record["input_size"]


@pytest.mark.parametrize("name", ["CaiT_S24", "CaiT_M24", "DeiT_S"])
def test_preprocessing_of_a_builder(name):
    found = keras_cait.preprocessing_for(name)
    assert found.image_size == (VARIANTS[name].image_size,) * 2
    assert found.crop_pct == (0.9 if name == "DeiT_S" else 1.0)


def test_preprocessing_of_a_model():
    with without_values():
        model = keras_cait.DeiT_B(weights=None, input_shape=(384, 320, 3), classes=3)
    found = keras_cait.preprocessing_for(model)
    assert (found.image_size, found.crop_pct) == ((384, 320), 1.0)
    with without_values():
        model = keras_cait.DeiT_B(weights=None, include_top=False)
    assert keras_cait.preprocessing_for(model).crop_pct == 0.9
    with without_values():
        model = tiny_deit()
    assert keras_cait.preprocessing_for(model).image_size == (32, 32)
