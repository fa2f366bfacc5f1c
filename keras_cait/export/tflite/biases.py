"""Biases that make up for the mean error of weights in 8 bits."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from keras_cait.export.tflite.editing import add_like, replace_constant, values_of
from keras_cait.export.tflite.file import schema
from keras_cait.export.tflite.integers import products, rounded


def correct_biases(model: Any, means: Mapping[int, np.ndarray]) -> None:
    """Takes the mean error that rounded weights will make off the biases.

    `b - (round(W) - W) @ mean(x)` stands for `b`. The inputs of a trained model's
    linear layers are far from 0 in the mean, so that rounding errors of the weights
    add up to an error that is the same for every image.

    Args:
        model: A `ModelT` in float32, changed in place; `quantize_weights` and
            `quantize_products` round its weights later.
        means: Mean of each channel of the products' inputs, by index of the tensor.

    Reference:
        Nagel et al., Data-Free Quantization Through Weight Equalization and Bias
        Correction, section 4.2, https://arxiv.org/abs/1906.04721

    """
    (graph,) = model.subgraphs
    kind = schema().TensorType.FLOAT32
    for product in products(model):
        if product.bias < 0:
            continue
        weights = values_of(model, graph.tensors[product.weights])
        levels, scales = rounded(weights)
        error = (levels * scales[:, None] - weights) @ means[product.input]
        bias = values_of(model, graph.tensors[product.bias]) - error
        # Of its own: products with equal biases share one.
        made = add_like(graph, product.bias, kind)
        replace_constant(model, graph.tensors[made], bias.astype("float32"), kind)
        inputs = [product.input, product.weights, made]
        product.operator.inputs = np.array(inputs, "int32")
