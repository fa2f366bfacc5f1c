"""Weights for models to export, with predictions that differ between images."""

import keras
import numpy as np


def plausible(model: keras.Model, seed: int = 0) -> keras.Model:
    """Assigns random weights of the magnitude of trained ones, none of them 0 or 1.

    Matrices preserve the magnitude of their inputs, gains are near 1 and biases near 0,
    so activations stay in the range that quantization expects.
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
