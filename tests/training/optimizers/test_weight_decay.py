"""Every optimizer decays the variables that the official code decays."""

import functools

import keras
import numpy as np
import pytest

from keras_cait.training.optimizers.adamw import AdamW
from keras_cait.training.optimizers.build import build_optimizer
from keras_cait.weights.timm.names import timm_parameters
from tests.support.models import tiny_models as samples
from tests.support.models.tiny_models import to_numpy

MODELS = {
    "deit": lambda: samples.tiny_deit(depth=1),
    "distilled": lambda: samples.tiny_deit(depth=1, distilled=True),
    "deit3": lambda: samples.tiny_deit3(depth=1),
    "cait": lambda: samples.tiny_cait(depth=1),
    "distilled cait": lambda: samples.tiny_cait(depth=1, distilled=True),
    "regnety": samples.tiny_regnety,
}


@functools.cache
def model_of(name):
    return samples.randomize(MODELS[name]())


def decayed_by(optimizer, model):
    """timm's names of the variables that shrink in a step where gradients are 0."""
    variables = model.trainable_variables
    before = {v.path: to_numpy(v.value) for v in variables}
    optimizer.apply([keras.ops.zeros(v.shape) for v in variables], variables)
    after = {v.path: to_numpy(v.value) for v in variables}
    for variable in variables:
        variable.assign(before[variable.path])
    for path, value in after.items():
        assert (np.abs(value) <= np.abs(before[path])).all(), path
    return {
        name
        for name, parameter in named(model).items()
        if (after[parameter.variable.path] != before[parameter.variable.path]).any()
    }


def named(model):
    return {
        name: parameter
        for name, parameter in timm_parameters(model).items()
        if getattr(getattr(parameter, "variable", None), "trainable", False)
    }


def decayed_officially(model):
    """The rule of the official code, on the names and shapes that it sees."""
    return {
        name
        for name, parameter in named(model).items()
        if len(parameter.variable.shape) > 1
        and not name.endswith(".bias")
        and name not in ("pos_embed", "cls_token")
    }


@pytest.mark.parametrize("family", MODELS)
def test_every_family_decays_as_in_the_official_code(family):
    model = model_of(family)
    expected = decayed_officially(model)
    assert decayed_by(build_optimizer("adamw", 0.1), model) == expected
    assert any(name.endswith(".weight") for name in expected)
    assert len(expected) < len(named(model))


@pytest.mark.parametrize("name", ["adamw", "lamb", "sgd"])
@pytest.mark.parametrize("family", ["distilled", "distilled cait"])
def test_the_distillation_token_decays_unless_it_is_spared(name, family):
    model = model_of(family)
    expected = decayed_officially(model)
    (token,) = (n for n in expected if n.startswith("dist"))
    assert decayed_by(build_optimizer(name, 0.1), model) == expected
    spared = build_optimizer(name, 0.1, decay_distillation_token=False)
    assert decayed_by(spared, model) == expected - {token}


def test_scalars_and_excluded_variables_do_not_decay():
    optimizer = AdamW(0.1, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_names=["mine"])
    shapes = {"gamma": (), "kernel": (2, 2), "mine": (2, 2), "proj_bias": (2, 2)}
    weights = [keras.Variable(np.ones(s), name=n) for n, s in shapes.items()]
    optimizer.apply([keras.ops.zeros(w.shape) for w in weights], weights)
    left = {w.name: float(to_numpy(w.value).max()) for w in weights}
    assert left == pytest.approx(
        {"gamma": 1, "kernel": 0.95, "mine": 1, "proj_bias": 1}
    )
