"""Ranges of tensors over representative images."""

import numpy as np

from keras_cait.export.tflite.conversion import convert
from keras_cait.export.tflite.file import unpack
from keras_cait.export.tflite.matrix_products import products_before_gelu
from keras_cait.export.tflite.runtime import tensor_statistics
from tests.support.export.samples import plausible
from tests.support.models.tiny_models import tiny_cait


def test_ranges_are_those_of_all_images():
    model = unpack(convert(plausible(tiny_cait(depth=1, class_attention_depth=1))))
    indices = [product.output for product in products_before_gelu(model)]
    assert indices
    images = np.random.default_rng(0).standard_normal((3, 32, 32, 3), "float32")
    ranges = tensor_statistics(model, indices, images, 1).ranges
    each = [
        tensor_statistics(model, indices, image[None], 1).ranges for image in images
    ]
    for index, found in ranges.items():
        assert found[0] == min(one[index][0] for one in each)
        assert found[1] == max(one[index][1] for one in each)
        assert found[0] < 0 < found[1]
