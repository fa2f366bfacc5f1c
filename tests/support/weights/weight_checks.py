"""Files of a model's weights, and checks of the weights, for tests that load them."""

import contextlib

import numpy as np
import pytest

import keras_cait
from tests.support.models.tiny_models import to_numpy


def write_weights(model, path):
    """Writes a model's weights in the format of the suffix; returns the path."""
    if path.suffix == ".safetensors":
        keras_cait.save_timm_weights(model, path)
    elif path.suffix == ".keras":
        model.save(path)
    else:
        model.save_weights(path)
    return path


def weight_values(model):
    """All weights of a model, by path."""
    return {weight.path: to_numpy(weight) for weight in model.weights}


def assert_equal_weights(model, expected):
    """Checks that weights equal those of `weight_values`, bit for bit and in order."""
    found = weight_values(model).values()
    for value, other in zip(found, expected.values(), strict=True):
        np.testing.assert_array_equal(value, other)


@contextlib.contextmanager
def load_fails(model, *messages):
    """Checks that the block raises `ValueError` and leaves the model unchanged.

    The error must contain "Received: " and all `messages`.
    """
    before = weight_values(model)
    with pytest.raises(ValueError, match="Received: ") as error:
        yield
    for message in messages:
        assert message in str(error.value)
    assert_equal_weights(model, before)
