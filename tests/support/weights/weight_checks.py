"""Checks of a model's weights, for tests that load them."""

import contextlib

import numpy as np
import pytest

from tests.support.models.tiny_models import to_numpy


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
