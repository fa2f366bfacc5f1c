"""Students by name, or by the sizes of a flag."""

import numpy as np
import pytest

from keras_cait.layers import StochasticDepth
from keras_cait.training.programs.students import build_student
from tests.support.models.tiny_models import without_values

TINY = "patch_size=4, embed_dim=32, depth=2, num_heads=4"


@pytest.mark.parametrize(
    ("name", "family", "parameters"),
    [
        ("DeiT_Ti", "deit", 5_717_416),
        ("DeiT_Ti_Distilled", "deit", 5_717_416),
        ("deit_tiny_patch16_224", "deit", 5_717_416),
        ("CaiT_XXS24", "cait", 11_956_264),
        ("DeiT3_S", "deit3", 22_059_496),
    ],
)
def test_a_student_is_built_by_the_name_of_a_variant(name, family, parameters):
    with without_values():
        model = build_student(name, family, input_shape=(224, 224, 3), classes=1000)
    assert model.count_params() == parameters


@pytest.mark.parametrize("family", ["deit", "cait"])
def test_a_student_is_built_from_sizes(family):
    model = build_student(
        TINY, family, input_shape=(8, 8, 1), classes=5, distilled=True
    )
    assert model.name.startswith(family)
    assert model.output_shape == (None, 5)
    assert model.get_layer("head_distillation")
    assert model.get_layer("preprocessing")


@pytest.mark.parametrize(("asked", "found"), [(None, 0.05), (0.2, 0.2), (0.0, 0.0)])
def test_stochastic_depth_is_the_variant_s_by_default(asked, found):
    with without_values():
        model = build_student(
            "CaiT_XXS24",
            "cait",
            input_shape=(32, 32, 3),
            classes=5,
            drop_path_rate=asked,
        )
    rates = [layer.rate for layer in model.layers if isinstance(layer, StochasticDepth)]
    assert np.max(rates) == found


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("DeiT_Tiny", "Did you mean DeiT_Ti?"),
        ("CaiT_S24", "must be one of DeiT_Ti"),
        ("embed_dim=64,depth=4", "must be one of"),
        ("embed_dim=64,depth=4,num_heads=4,patch_size=two", "whole numbers"),
    ],
)
def test_an_unknown_student_suggests_the_nearest_name(name, said):
    with pytest.raises(ValueError, match="model") as error:
        build_student(name, "deit", input_shape=(32, 32, 3), classes=5)
    assert said in str(error.value)


def test_a_distilled_deit3_is_refused():
    with pytest.raises(ValueError, match="distillation token"):
        build_student(
            "DeiT3_S", "deit3", input_shape=(32, 32, 3), classes=5, distilled=True
        )
