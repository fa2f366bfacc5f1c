"""Steps of an optimizer on a few weights, with their gradients."""

import keras
import numpy as np

from tests.support.models.tiny_models import to_numpy


def steps_of(optimizer, starts, steps=4):
    """The weights after so many steps, and the gradients of each step."""
    rng = np.random.default_rng(0)
    gradients = [
        [rng.normal(size=np.shape(w)).astype("float32") for w in starts.values()]
        for _ in range(steps)
    ]
    weights = [keras.Variable(value, name=name) for name, value in starts.items()]
    for step in gradients:
        optimizer.apply([keras.ops.convert_to_tensor(g) for g in step], weights)
    return {w.name: to_numpy(w.value) for w in weights}, gradients


def starts():
    """First values of a matrix, a matrix of zeros and a vector, by name."""
    rng = np.random.default_rng(1)
    return {
        "kernel": rng.normal(size=(3, 4)).astype("float32"),
        "zero_kernel": np.zeros((2, 2), "float32"),
        "gamma": rng.normal(size=5).astype("float32"),
    }
