"""Bad weights files: an error that names what is wrong, and nothing lost."""

import contextlib

import numpy as np
import pytest

from tests.support.models.tiny_models import to_numpy


def values(model):
    """All weights of a model, by path."""
    return {weight.path: to_numpy(weight) for weight in model.weights}


def assert_equal_weights(model, expected):
    """Bit for bit, in order; `expected` is what `values` gave."""
    for found, value in zip(values(model).values(), expected.values(), strict=True):
        np.testing.assert_array_equal(found, value)


@contextlib.contextmanager
def refused(model, *messages):
    """What runs inside raises `ValueError` with all messages; the model stays."""
    before = values(model)
    with pytest.raises(ValueError, match="Received: ") as error:
        yield
    for message in messages:
        assert message in str(error.value)
    assert_equal_weights(model, before)
