"""Bias correction of quantized weights."""

import keras
import numpy as np

from keras_cait.export.tflite.biases import correct_biases
from keras_cait.export.tflite.conversion import convert
from keras_cait.export.tflite.file import pack, unpack
from keras_cait.export.tflite.matrix_products import matrix_products
from keras_cait.export.tflite.quantization import quantize
from keras_cait.export.tflite.runtime import TfliteRuntime, tensor_statistics


def test_corrected_biases_keep_the_mean_output_for_inputs_far_from_0():
    """As in trained models; each product has a bias of its own afterwards."""
    inputs = keras.Input((64,))
    layers = [keras.layers.Dense(48, bias_initializer="ones") for _ in range(2)]
    model = keras.Model(inputs, keras.layers.Add()([each(inputs) for each in layers]))
    rows = 3 + np.random.default_rng(0).standard_normal((40, 64), "float32")
    content = convert(model)
    errors = {}
    for corrected in (False, True):
        file = unpack(content)
        if corrected:
            sources = [product.input for product in matrix_products(file)]
            correct_biases(file, tensor_statistics(file, sources, rows, 1).means)
            biases = [product.bias for product in matrix_products(file)]
            assert len(set(biases)) == len(biases) == 2
        runs = [TfliteRuntime(each, 1) for each in (content, pack(quantize(file)))]
        expected, found = (
            [run(row[None])["probabilities"] for row in rows] for run in runs
        )
        errors[corrected] = np.abs(np.mean(np.subtract(found, expected), axis=0)).max()
    assert errors[True] < 0.3 * errors[False]
