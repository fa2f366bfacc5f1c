"""timm's names of a model's weights."""

import math

import keras
import numpy as np
import pytest

from keras_cait.weights.timm.names import timm_parameters, timm_shapes
from tests.support.models.tiny_models import released, tiny_deit, without_values
from tests.support.reference import TIMM_NAMES, manifest


@pytest.mark.parametrize("timm_name", TIMM_NAMES)
def test_names_and_shapes_equal_those_of_the_checkpoint(timm_name):
    builder, input_shape = released(timm_name)
    with without_values():
        model = builder(weights=None, input_shape=input_shape)
    shapes = {name: list(shape) for name, shape in timm_shapes(model).items()}
    assert shapes == manifest(timm_name)["state_dict"]
    learned = sum(math.prod(weight.shape) for weight in model.trainable_weights)
    assert learned == manifest(timm_name)["params"]


def test_every_weight_has_one_name():
    model = tiny_deit(distilled=True, drop_path_rate=0.1)
    table = timm_parameters(model)
    named = [id(parameter.variable) for parameter in table.values()]
    assert len(named) == len(set(named))
    assert set(named) == {id(weight) for weight in model.weights}


def test_from_timm_undoes_to_timm():
    for parameter in timm_parameters(tiny_deit(depth=1)).values():
        theirs = parameter.to_timm()
        assert theirs.shape == parameter.timm_shape
        assert theirs.flags.c_contiguous
        ours = keras.ops.convert_to_numpy(parameter.variable.value)
        np.testing.assert_array_equal(parameter.from_timm(theirs), ours)


def test_weights_without_a_name_in_timm_are_named():
    x = keras.Input((4,))
    y = keras.layers.BatchNormalization(name="strange")(keras.layers.Dense(3)(x))
    with pytest.raises(ValueError, match="no counterpart in timm") as error:
        timm_parameters(keras.Model(x, y, name="other"))
    for message in ("Received: 'other'", "strange/gamma", "strange/moving_mean"):
        assert message in str(error.value)
