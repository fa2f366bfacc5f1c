"""LAMB takes the paper's steps."""

import numpy as np

from keras_cait.training.optimizers.lamb import Lamb
from tests.support.training.optimizer_steps import starts, steps_of


def test_lamb_is_the_papers_formula():
    """In double precision; vectors neither decay nor have their step stretched."""
    found, gradients = steps_of(Lamb(0.01, weight_decay=0.3), starts())
    for index, (name, start) in enumerate(starts().items()):
        w, m, v = start.astype("float64"), 0.0, 0.0
        for t, step in enumerate(gradients, start=1):
            g = step[index].astype("float64")
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
            u = m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
            if name != "gamma":
                u += 0.3 * w
                if np.any(w):
                    u *= np.linalg.norm(w) / np.linalg.norm(u)
            w = w - 0.01 * u
        np.testing.assert_allclose(found[name], w, rtol=1e-5, atol=1e-6)
