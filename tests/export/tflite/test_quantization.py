"""Quantization to 8 bits: sizes, operators, steps and accuracy."""

import keras
import numpy as np
import pytest

from keras_cait.export.tflite.conversion import convert
from keras_cait.export.tflite.file import (
    operator_name,
    operators_of,
    pack,
    runtime_version,
    schema,
    unpack,
)
from keras_cait.export.tflite.matrix_products import (
    matrix_products,
    products_before_gelu,
)
from keras_cait.export.tflite.quantization import quantize
from keras_cait.export.tflite.runtime import TfliteRuntime, tensor_statistics
from tests.support.export.samples import plausible
from tests.support.models.tiny_models import tiny_cait, tiny_deit


def outputs_of(content, image):
    return TfliteRuntime(content, 1)(image)["probabilities"]


@pytest.fixture(scope="module")
def content():
    """A CaiT in float32."""
    model = tiny_cait(depth=1, class_attention_depth=1, distilled=True)
    return convert(plausible(model))


def test_eight_bit_weights_are_close_and_a_quarter_of_the_size():
    """The model is so wide that its weights dominate the size."""
    model = plausible(tiny_deit(embed_dim=256, depth=1))
    content = convert(model)
    image = np.random.default_rng(0).standard_normal((1, 32, 32, 3), "float32")
    expected = outputs_of(content, image)
    assert len(matrix_products(unpack(content))) >= 5
    smaller = quantize(unpack(content))
    assert not matrix_products(smaller)
    written = pack(smaller)
    assert len(written) < 0.3 * len(content)
    np.testing.assert_allclose(outputs_of(written, image), expected, atol=0.02)


def test_scales_of_channels_require_the_runtime_that_has_them(content):
    model = unpack(pack(quantize(unpack(content))))
    versions = {operator_name(code): code.version for code in model.operatorCodes}
    assert (versions["FULLY_CONNECTED"], versions["DEQUANTIZE"]) == (12, 3)
    assert runtime_version(model) == "2.17.0"
    scales = {
        len(tensor.quantization.scale)
        for tensor in model.subgraphs[0].tensors
        if tensor.type == schema().TensorType.INT8
    }
    assert min(scales) > 1  # one of each output


def test_only_products_before_gelu_use_integers_throughout(content):
    model = unpack(content)
    inside = products_before_gelu(model)
    ranges = {
        index: (-3.0, 3.0)
        for product in inside
        for index in (product.input, product.output)
    }
    before = [operator.name for operator in operators_of(model)]
    after = [operator.name for operator in operators_of(quantize(model, ranges))]
    assert after.count("QUANTIZE") == len(inside) == 2
    # One more for the float16 weights of the patch embedding.
    assert after.count("DEQUANTIZE") == len(inside) + 1
    added = ("QUANTIZE", "DEQUANTIZE")
    assert [name for name in after if name not in added] == before


def test_integers_are_steps_of_the_range(content):
    model = unpack(content)
    ranges = {}
    for product in products_before_gelu(model):
        ranges |= {product.input: (-1.0, 3.0), product.output: (2.0, 4.0)}
    model = unpack(pack(quantize(model, ranges)))
    (graph,) = model.subgraphs
    steps = [
        (tensor.quantization.scale[0], tensor.quantization.zeroPoint[0])
        for operator in graph.operators
        if operator_name(model.operatorCodes[operator.opcodeIndex]) == "FULLY_CONNECTED"
        for tensor in (
            graph.tensors[operator.inputs[0]],
            graph.tensors[operator.outputs[0]],
        )
        if tensor.type == schema().TensorType.INT8
    ]
    # 0 is always one of the steps, so (2, 4) is taken as (0, 4).
    expected = [(4 / 255, -64), (4 / 255, -128)] * 2
    np.testing.assert_allclose(steps, expected, rtol=1e-6)


def test_layers_with_the_same_weights_stay_accurate():
    """The converter stores equal weights once."""
    model = plausible(tiny_deit(depth=2, classifier_activation=None))
    # The converter multiplies the gain of the norm into the weights behind it.
    for part in ("norm2", "feed_forward"):
        first, second = (model.get_layer(f"block_{index}_{part}") for index in range(2))
        second.set_weights(first.get_weights())
    content = convert(model)
    smaller = unpack(content)
    inside = products_before_gelu(smaller)
    indices = [index for product in inside for index in (product.input, product.output)]
    image = np.random.default_rng(0).standard_normal((1, 32, 32, 3), "float32")
    assert len({product.weights for product in inside}) < len(inside)
    quantized = quantize(smaller, tensor_statistics(smaller, indices, image, 1).ranges)
    expected, found = (outputs_of(file, image) for file in (content, pack(quantized)))
    np.testing.assert_allclose(found, expected, atol=0.05 * abs(expected).max())


def test_convolutions_with_the_same_weights_share_their_float16_weights():
    image = keras.Input((8, 8, 3))
    layer = keras.layers.Conv2D(4, 3, padding="same")
    twice = keras.layers.Conv2D(4, 3, padding="same")
    results = [layer(image), twice(keras.ops.flip(image, 1))]
    twice.set_weights(layer.get_weights())
    both = keras.layers.Flatten()(keras.layers.Add()(results))
    content = convert(keras.Model(image, both))
    model = quantize(unpack(content))
    names = [operator.name for operator in operators_of(model)]
    assert (names.count("CONV_2D"), names.count("DEQUANTIZE")) == (2, 1)
    pixels = np.random.default_rng(0).standard_normal((1, 8, 8, 3), "float32")
    expected, found = (outputs_of(file, pixels) for file in (content, pack(model)))
    np.testing.assert_allclose(found, expected, atol=0.01)
