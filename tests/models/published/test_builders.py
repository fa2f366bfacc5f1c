import ast
import inspect
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import keras
import numpy as np
import pytest

import keras_cait
from keras_cait.layers import StochasticDepth
from keras_cait.models.published import builders as builders_module
from keras_cait.models.published.families import FAMILIES
from keras_cait.typing import Shape, Tensor
from keras_cait.variants import VARIANTS
from tests.support.models.tiny_models import images, randomize, to_numpy, without_values

EACH = pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)

# Words behind the numbers in the docstrings.
SIZES = {
    "depth": "blocks",
    "embed_dim": "channels",
    "num_heads": "heads",
    "group_size": "channels",
}
OPTIONAL_SIZES = {"patch_size", "se_ratio"}


class AnyBuilder(Protocol):
    """The arguments of every builder, for a type checker."""

    def __call__(
        self,
        include_top: bool = True,
        weights: str | Path | None = "imagenet",
        input_tensor: Tensor | None = None,
        input_shape: Shape | None = None,
        pooling: str | None = None,
        classes: int = 1000,
        classifier_activation: str | None = "softmax",
        *,
        include_preprocessing: bool = False,
        preprocessing: keras_cait.Preprocessing | None = None,
        class_names: Sequence[str] | None = None,
        drop_path_rate: float | None = None,
        name: str | None = None,
    ) -> keras.Model: ...


def rates(model):
    return [layer.rate for layer in model.layers if isinstance(layer, StochasticDepth)]


@EACH
def test_signature_is_that_of_keras_applications(variant):
    found = inspect.signature(getattr(keras_cait, variant.name)).parameters
    theirs = inspect.signature(keras.applications.ResNet50).parameters
    positional = [p for p in found.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    expected = [(p.name, p.default) for p in theirs.values() if p.name != "name"]
    assert [(p.name, p.default) for p in positional] == expected
    keywords = {p.name: p.default for p in found.values() if p.kind is p.KEYWORD_ONLY}
    options = {
        "include_preprocessing": False,
        "preprocessing": None,
        "class_names": None,
        "drop_path_rate": None,
        "name": None,
    }
    # The options of its family, with the same defaults; no argument is hidden.
    family = inspect.signature(FAMILIES[variant.family]).parameters
    for name in family.keys() - variant.sizes.keys() - found.keys() - OPTIONAL_SIZES:
        pytest.fail(f"{variant.name} lacks {name}")
    for name in keywords.keys() - options.keys():
        options[name] = family[name].default
    assert keywords == options
    assert found.keys() - family.keys() == {"weights"}
    assert all(p.annotation is not p.empty for p in found.values())


def test_static_types_are_those_of_the_arguments():
    """`make lint` compares the signatures, as an editor shows them."""
    builders: list[AnyBuilder] = [
        keras_cait.CaiT_S24,
        keras_cait.DeiT_S,
        keras_cait.DeiT3_S,
        keras_cait.RegNetY_16GF,
    ]
    expected = list(inspect.signature(AnyBuilder.__call__).parameters.values())[1:]
    for builder in builders:
        found = inspect.signature(builder).parameters
        for parameter in expected:
            assert found[parameter.name] == parameter


@EACH
def test_docstring_stands_in_the_source_with_the_sizes_of_the_table(variant):
    tree = ast.parse(inspect.getsource(builders_module))
    (node,) = (
        row
        for row in tree.body
        if isinstance(row, ast.FunctionDef) and row.name == variant.name
    )
    text = ast.get_docstring(node) or ""
    assert text == inspect.getdoc(getattr(keras_cait, variant.name))
    sizes = {name: variant.sizes[name] for name in SIZES if name in variant.sizes}
    assert sizes
    for name, value in sizes.items():
        assert re.search(rf"\b{value} {SIZES[name]}", text), name
    assert ("distillation token" in text) == variant.sizes.get("distilled", False)
    pixels = [int(size) for size in re.findall(r"at (\d+) pixels", text)]
    assert pixels == sorted({row.image_size for row in variant.checkpoints})
    assert ("No weights were published" in text) == (not variant.checkpoints)


def test_each_argument_is_described_once():
    """Each field of the arguments has one description, in the class that defines it."""
    described = set()
    for function in (*FAMILIES.values(), keras_cait.CaiT_S24, keras_cait.DeiT3_S):
        (parameter,) = inspect.signature(inspect.unwrap(function)).parameters.values()
        # An editor would show its docstring in place of the function's.
        source = ast.parse(inspect.getsource(parameter.annotation)).body[0]
        assert isinstance(source, ast.ClassDef)
        assert ast.get_docstring(source) is None
        for kind in parameter.annotation.__mro__[:-1]:
            fields = vars(kind).get("__annotations__", {})
            for name in fields.keys() - {"_"}:
                assert re.search(rf"^ +{name}: ", kind.__doc__, re.MULTILINE), name
                described.add((kind, name))
    assert len(described) > 40


@EACH
def test_a_builder_makes_the_published_shapes_and_rate(variant):
    with without_values():
        model = getattr(keras_cait, variant.name)(weights=None)
    size = variant.image_size
    assert model.input_shape == (None, size, size, 3)
    assert model.output_shape == (None, 1000)
    assert re.fullmatch(rf"{variant.name.lower()}(_\d+)?", model.name)
    assert max(rates(model)) == variant.drop_path_rate


def test_arguments_reach_the_model():
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


def test_options_of_the_family_reach_the_model():
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
def test_a_size_of_the_variant_is_refused(name, size):
    with pytest.raises(
        TypeError, match=rf"{name} sets .*Received: {size}\..*keras_cait"
    ):
        getattr(keras_cait, name)(weights=None, **{size: 2})


def test_an_input_tensor_gives_the_size():
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
def test_weights_are_loaded_from_a_file(suffix, model, tmp_path):
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


def test_other_classes_load_all_but_the_head(model, tmp_path):
    path = tmp_path / "model.safetensors"
    keras_cait.save_timm_weights(model, path)
    with pytest.warns(UserWarning, match="the model has 4 classes, the file 5"):
        found = keras_cait.DeiT_Ti(weights=path, input_shape=(32, 32, 3), classes=4)
    for layer in ("norm", "block_11_feed_forward"):
        values = [made.get_layer(layer).get_weights() for made in (found, model)]
        for value, expected in zip(*values, strict=True):
            np.testing.assert_array_equal(value, expected)


def test_weights_that_do_not_fit_are_refused(model, tmp_path):
    path = tmp_path / "model.safetensors"
    keras_cait.save_timm_weights(model, path)
    message = (
        r"(?s)do not fit.*looks like one of DeiT_Ti\. .*model\.safetensors.*shape: "
    )
    with pytest.raises(ValueError, match=message):
        keras_cait.DeiT_S(weights=path, input_shape=(32, 32, 3), classes=5)
