"""A folded model does not depend on the way its model computes attention."""

import numpy as np
import pytest

from keras_cait.export.folding.fold import fold
from tests.support.models.tiny_models import images, randomize, tiny_cait, to_numpy


@pytest.mark.parametrize("implementation", ["blocks", "fused"])
def test_folded_models_are_equal(implementation):
    folded = []
    for name in ("plain", implementation):
        model = tiny_cait(
            depth=1,
            input_shape=(120, 112, 3),
            attention_implementation=name,
            name="model",
        )
        folded.append(fold(randomize(model)))
    plain, other = folded
    for one, another in zip(plain.layers[1:], other.layers[1:], strict=True):
        assert type(one) is type(another)
        assert one.get_config() == another.get_config()
    x = images(1, 120, 112, 3)
    np.testing.assert_array_equal(to_numpy(plain(x)), to_numpy(other(x)))
