"""Bias correction for weights in 8 bits."""

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np

from keras_cait.export.tflite.file import schema, text_of
from keras_cait.export.tflite.matrix_products import constant_values, matrix_products


def correct_biases(model: Any, means: Mapping[int, np.ndarray]) -> None:
    """Subtracts the mean error of the rounded weights from the biases.

    `b - (round(W) - W) @ mean(x)` replaces `b`. The inputs of a trained model's linear
    layers have means far from 0, so that rounding errors of the weights add up to an
    error that is the same for every image.

    Args:
        model: A `ModelT` in float32, changed in place; `quantize` rounds its weights
            later.
        means: Mean of each channel of the products' inputs, by index of the tensor.

    Reference:
        Nagel et al., Data-Free Quantization Through Weight Equalization and Bias
        Correction, section 4.2, https://arxiv.org/abs/1906.04721

    """
    (graph,) = model.subgraphs
    for product in matrix_products(model):
        if product.bias < 0:
            continue
        weights = constant_values(model, product.weights)
        largest = np.abs(weights).max(axis=1, keepdims=True)
        scales = np.maximum(largest, 1e-12) / 127  # as `quantize` rounds
        error = (np.round(weights / scales) * scales - weights) @ means[product.input]
        bias = constant_values(model, product.bias) - error
        # In a tensor of its own: products with equal biases share one.
        tensor = copy.copy(graph.tensors[product.bias])
        tensor.name = f"{text_of(tensor.name)}_corrected_{len(graph.tensors)}"
        buffer = schema().BufferT()
        buffer.data = np.frombuffer(bias.astype("<f4").tobytes(), "uint8")
        model.buffers.append(buffer)
        tensor.buffer = len(model.buffers) - 1
        graph.tensors.append(tensor)
        inputs = [product.input, product.weights, len(graph.tensors) - 1]
        product.operator.inputs = np.array(inputs, "int32")
