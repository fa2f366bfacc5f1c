"""Selection of the matrix products with fixed ranges."""

from keras_cait.export.tflite.conversion import convert
from keras_cait.export.tflite.file import unpack
from keras_cait.export.tflite.matrix_products import products_before_gelu
from tests.support.export.samples import plausible
from tests.support.models.tiny_models import tiny_cait


def test_the_first_layers_of_feed_forwards_are_found_in_both_stages_of_a_cait():
    model = tiny_cait(depth=1, class_attention_depth=1, distilled=True)
    file = unpack(convert(plausible(model)))
    graph = file.subgraphs[0]
    shapes = [
        tuple(graph.tensors[product.weights].shape)
        for product in products_before_gelu(file)
    ]
    assert shapes == [(128, 32), (128, 32)]
