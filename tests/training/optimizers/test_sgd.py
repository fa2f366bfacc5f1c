"""SGD takes torch's steps."""

import numpy as np
import pytest

from keras_cait.training.optimizers.sgd import SGD
from tests.support.training.optimizer_steps import starts, steps_of


@pytest.mark.parametrize("nesterov", [True, False])
def test_sgd_is_torchs_formula(nesterov):
    optimizer = SGD(0.1, weight_decay=0.2, momentum=0.9, nesterov=nesterov)
    found, gradients = steps_of(optimizer, starts())
    for index, (name, start) in enumerate(starts().items()):
        w, velocity = start.astype("float64"), 0.0
        for step in gradients:
            g = step[index] + (0.0 if name == "gamma" else 0.2) * w
            velocity = 0.9 * velocity + g
            w = w - 0.1 * (g + 0.9 * velocity if nesterov else velocity)
        np.testing.assert_allclose(found[name], w, rtol=1e-5, atol=1e-6)
