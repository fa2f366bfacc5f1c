import inspect
import re

import keras
import numpy as np
import pytest

import keras_cait
from keras_cait.layers import StochasticDepth
from keras_cait.variants import VARIANTS
from tests.support.models.tiny_models import images, randomize, to_numpy, without_values

EACH = pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)


def rates(model):
    return [layer.rate for layer in model.layers if isinstance(layer, StochasticDepth)]


@EACH
def test_signature_is_that_of_keras_applications(variant):
    found = dict(inspect.signature(getattr(keras_cait, variant.name)).parameters)
    theirs = inspect.signature(keras.applications.ResNet50).parameters
    positional = [p for p in found.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    expected = [(p.name, p.default) for p in theirs.values() if p.name != "name"]
    assert [(p.name, p.default) for p in positional] == expected
    keywords = {p.name: p.default for p in found.values() if p.kind is p.KEYWORD_ONLY}
    assert keywords == {
        "include_preprocessing": False,
        "preprocessing": None,
        "class_names": None,
        "drop_path_rate": None,
        "name": None,
    }
    assert [p.name for p in found.values() if p.kind is p.VAR_KEYWORD] == ["options"]


@EACH
def test_is_named_and_documented(variant):
    builder = getattr(keras_cait, variant.name)
    assert builder.__name__ == builder.__qualname__ == variant.name
    assert builder.__doc__.startswith(variant.name)
    for argument in inspect.signature(builder).parameters:
        assert f"{argument}: " in builder.__doc__
    assert "{" not in builder.__doc__


def test_says_which_weights_it_takes():
    said = {
        name: getattr(keras_cait, name).__doc__.split('"imagenet" for ')[1]
        for name in ("DeiT3_B", "RegNetY_16GF", "CaiT_S48")
    }
    assert said["DeiT3_B"].startswith(
        "timm/deit3_base_patch16_224.fb_in1k or timm/deit3_base_patch16_384.fb_in1k,"
    )
    assert said["RegNetY_16GF"].startswith("timm/regnety_160.deit_in1k,")
    assert said["CaiT_S48"].startswith("published weights, of which this variant has")


def _one_a_family():
    """The first variant of each; the others' docstrings build them anyway."""
    met = set()
    for name, variant in VARIANTS.items():
        marks = pytest.mark.slow if variant.family in met else ()
        met.add(variant.family)
        yield pytest.param(variant, id=name, marks=marks)


@pytest.mark.parametrize("variant", list(_one_a_family()))
def test_builds(variant):
    with without_values():
        model = getattr(keras_cait, variant.name)(weights=None)
    size = variant.image_size
    assert model.input_shape == (None, size, size, 3)
    assert model.output_shape == (None, 1000)
    assert re.fullmatch(rf"{variant.name.lower()}(_\d+)?", model.name)
    assert max(rates(model)) == variant.drop_path_rate


def test_passes_its_arguments_on():
    with without_values():
        model = keras_cait.DeiT_Ti_Distilled(
            include_top=False,
            weights=None,
            input_shape=(32, 64, 1),
            pooling="avg",
            include_preprocessing=True,
            drop_path_rate=0.0,
            name="mine",
        )
    assert (model.name, model.output_shape) == ("mine", (None, 192))
    assert model.input_shape == (None, 32, 64, 1)
    assert model.get_layer("preprocessing")
    assert set(rates(model)) == {0}


def test_takes_the_other_arguments_of_its_family():
    with without_values():
        model = keras_cait.CaiT_XXS24(weights=None, distilled=True, dropout_rate=0.1)
    assert model.get_layer("head_distillation")
    assert model.get_layer("position_dropout").rate == 0.1


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("CaiT_S24", "depth"),
        ("DeiT_S", "distilled"),
        ("DeiT_S", "patch_size"),
        ("RegNetY_16GF", "group_size"),
    ],
)
def test_refuses_a_size_of_its_own(name, size):
    with pytest.raises(
        TypeError, match=rf"{name} sets .*Received: {size}\..*keras_cait"
    ):
        getattr(keras_cait, name)(weights=None, **{size: 2})


def test_takes_the_size_of_an_input_tensor():
    with without_values():
        x = keras.Input((32, 48, 3))
        model = keras_cait.DeiT_Ti(weights=None, input_tensor=x, classes=7)
    assert model.input is x
    assert model.output_shape == (None, 7)


@pytest.fixture(scope="module")
def model():
    made = keras_cait.DeiT_Ti(weights=None, input_shape=(32, 32, 3), classes=5)
    return randomize(made)


@pytest.mark.parametrize("suffix", [".safetensors", ".weights.h5", ".keras"])
def test_takes_weights_from_a_file(suffix, model, tmp_path):
    path = tmp_path / f"model{suffix}"
    if suffix == ".safetensors":
        keras_cait.save_timm_weights(model, path)
    elif suffix == ".keras":
        model.save(path)
    else:
        model.save_weights(path)
    restored = keras_cait.DeiT_Ti(weights=path, input_shape=(32, 32, 3), classes=5)
    x = images(1, 32, 32, 3)
    np.testing.assert_array_equal(to_numpy(restored(x)), to_numpy(model(x)))


def test_other_classes_take_all_but_the_head(model, tmp_path):
    path = tmp_path / "model.safetensors"
    keras_cait.save_timm_weights(model, path)
    with pytest.warns(UserWarning, match="the model has 4 classes, the file 5"):
        found = keras_cait.DeiT_Ti(weights=path, input_shape=(32, 32, 3), classes=4)
    for layer in ("norm", "block_11_feed_forward"):
        values = [made.get_layer(layer).get_weights() for made in (found, model)]
        for value, expected in zip(*values, strict=True):
            np.testing.assert_array_equal(value, expected)


def test_refuses_weights_that_do_not_fit(model, tmp_path):
    path = tmp_path / "model.safetensors"
    keras_cait.save_timm_weights(model, path)
    message = (
        r"(?s)do not fit.*looks like one of DeiT_Ti\. .*model\.safetensors.*shape: "
    )
    with pytest.raises(ValueError, match=message):
        keras_cait.DeiT_S(weights=path, input_shape=(32, 32, 3), classes=5)
