"""Products in 8 bits: which they are, by which steps, and how near."""

import keras
import numpy as np
import pytest

from keras_cait.export.tflite.biases import correct_biases
from keras_cait.export.tflite.conversion import convert
from keras_cait.export.tflite.file import operators_of, pack, schema, unpack
from keras_cait.export.tflite.integers import (
    products,
    products_into_gelu,
    quantize_products,
    quantize_weights,
)
from keras_cait.export.tflite.runtime import TfliteRuntime, seen_values
from tests.support.export.samples import plausible
from tests.support.models.tiny_models import tiny_cait, tiny_deit


@pytest.fixture(scope="module")
def content():
    """A CaiT in float32."""
    model = tiny_cait(depth=1, class_attention_depth=1, distilled=True)
    return convert(plausible(model))


def test_eight_bit_weights_are_near_and_a_quarter_of_the_size():
    """Of a model wide enough that all else is small beside the weights."""
    model = plausible(tiny_deit(embed_dim=256, depth=1))
    content = convert(model)
    image = np.random.default_rng(0).standard_normal((1, 32, 32, 3), "float32")
    expected = TfliteRuntime(content, 1)(image)
    smaller = unpack(content)
    assert len(products(smaller)) >= 5
    quantize_weights(smaller)
    assert not products(smaller)
    written = pack(smaller)
    assert len(written) < 0.3 * len(content)
    np.testing.assert_allclose(TfliteRuntime(written, 1)(image), expected, atol=0.02)


def test_which_products_are_integers_throughout(content):
    """The first layers of feed-forwards: one in each stage of a CaiT."""
    model = unpack(content)
    inside = products_into_gelu(model)
    graph = model.subgraphs[0]
    shapes = [tuple(graph.tensors[product.weights].shape) for product in inside]
    assert shapes == [(128, 32), (128, 32)]


def test_ranges_are_those_of_all_images(content):
    model = unpack(content)
    inside = products_into_gelu(model)
    indices = [product.output for product in inside]
    images = np.random.default_rng(0).standard_normal((3, 32, 32, 3), "float32")
    ranges = seen_values(model, indices, images, 1).ranges
    each = [seen_values(model, indices, image[None], 1).ranges for image in images]
    for index, found in ranges.items():
        assert found[0] == min(one[index][0] for one in each)
        assert found[1] == max(one[index][1] for one in each)
        assert found[0] < 0 < found[1]


def test_integers_are_steps_of_the_range(content):
    model = unpack(content)
    chosen = products_into_gelu(model)[:1]
    ranges = {chosen[0].input: (-1.0, 3.0), chosen[0].output: (2.0, 4.0)}
    quantize_products(model, chosen, ranges)
    model = unpack(pack(model))
    kinds = schema().TensorType
    found = {
        tensor.name.decode(): tensor
        for tensor in model.subgraphs[0].tensors
        if tensor.type == kinds.INT8 and b"_quantized" in tensor.name
    }
    scales = [
        (row.quantization.scale[0], row.quantization.zeroPoint[0])
        for row in found.values()
    ]
    # 0 is always one of the steps, so (2, 4) is taken as (0, 4).
    np.testing.assert_allclose(scales, [(4 / 255, -64), (4 / 255, -128)], rtol=1e-6)


def test_layers_with_the_same_weights():
    """The converter keeps equal weights once."""
    model = plausible(tiny_deit(depth=2, classifier_activation=None))
    for part in ("fc1", "fc2"):
        first, second = (
            getattr(model.get_layer(f"block_{index}_feed_forward"), part)
            for index in range(2)
        )
        second.set_weights(first.get_weights())
    content = convert(model)
    smaller = unpack(content)
    inside = products_into_gelu(smaller)
    indices = [index for product in inside for index in (product.input, product.output)]
    image = np.random.default_rng(0).standard_normal((1, 32, 32, 3), "float32")
    assert len({product.weights for product in inside}) < len(inside)
    quantize_products(smaller, inside, seen_values(smaller, indices, image, 1).ranges)
    quantize_weights(smaller)
    expected, found = (
        TfliteRuntime(file, 1)(image) for file in (content, pack(smaller))
    )
    np.testing.assert_allclose(found, expected, atol=0.05 * abs(expected).max())


def test_convolutions_with_the_same_weights():
    image = keras.Input((8, 8, 3))
    layer = keras.layers.Conv2D(4, 3, padding="same")
    twice = keras.layers.Conv2D(4, 3, padding="same")
    results = [layer(image), twice(keras.ops.flip(image, 1))]
    twice.set_weights(layer.get_weights())
    both = keras.layers.Flatten()(keras.layers.Add()(results))
    content = convert(keras.Model(image, both))
    model = unpack(content)
    quantize_weights(model)
    names = [operator.name for operator in operators_of(model)]
    assert (names.count("CONV_2D"), names.count("DEQUANTIZE")) == (2, 1)
    pixels = np.random.default_rng(0).standard_normal((1, 8, 8, 3), "float32")
    expected, found = (
        TfliteRuntime(file, 1)(pixels) for file in (content, pack(model))
    )
    np.testing.assert_allclose(found, expected, atol=0.01)


def test_corrected_biases_keep_the_mean_of_what_inputs_far_from_0_give():
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
            taken = [product.input for product in products(file)]
            correct_biases(file, seen_values(file, taken, rows, 1).means)
            biases = [product.bias for product in products(file)]
            assert len(set(biases)) == len(biases) == 2
        quantize_weights(file)
        runs = [TfliteRuntime(each, 1) for each in (content, pack(file))]
        expected, found = ([run(row[None]) for row in rows] for run in runs)
        errors[corrected] = np.abs(np.mean(np.subtract(found, expected), axis=0)).max()
    assert errors[True] < 0.3 * errors[False]
