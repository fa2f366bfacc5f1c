"""Models to export, with weights that all count and answers that differ."""

import keras
import numpy as np


def plausible(model: keras.Model, seed: int = 0) -> keras.Model:
    """Gives a model weights of the size that training gives them, and none at 0 or 1.

    Matrices keep the size of what goes through them, gains are near 1 and biases near
    0, so that activations stay in the range that quantization expects.
    """
    draws = np.random.default_rng(seed)
    for weight in model.weights:
        value = draws.standard_normal(weight.shape)
        if weight.name in ("gamma", "moving_variance"):
            value = 1 + 0.1 * np.clip(value, -3, 3)
        elif len(weight.shape) >= 2 and "kernel" in weight.name:
            value *= np.prod(weight.shape[:-1]) ** -0.5
        else:
            value *= 0.1
        weight.assign(value)
    return model
