"""Folded attention of many tokens goes block by block of queries."""

from functools import partial

import numpy as np
import pytest
import tensorflow as tf

from keras_cait.export.folding.fold import fold
from tests.support.models.tiny_models import (
    images,
    randomize,
    tiny_cait,
    tiny_deit,
    to_numpy,
)

CASES = [
    pytest.param(tiny_cait, id="cait"),
    pytest.param(partial(tiny_deit, distilled=True), id="deit"),
]


def folded(make, height, width):
    # The last of two blocks of a folded DeiT computes the class tokens alone.
    model = randomize(make(depth=2, input_shape=(height, width, 3)))
    return model, fold(model)


def largest_tensor(model):
    """Elements of the largest tensor for one image."""
    image = tf.TensorSpec((1, *model.input_shape[1:]), "float32")
    graph = tf.function(model, autograph=False).get_concrete_function(image).graph
    shapes = [out.shape for op in graph.get_operations() for out in op.outputs]
    return max(shape.num_elements() or 0 for shape in shapes if shape.rank)


@pytest.mark.parametrize("make", CASES)
@pytest.mark.parametrize(("height", "width"), [(256, 256), (264, 288)])
def test_results_are_those_of_the_model(make, height, width):
    model, other = folded(make, height, width)  # 1,024 and 1,188 patches
    x = images(2, height, width, 3)
    expected = to_numpy(model(x))
    np.testing.assert_allclose(to_numpy(other(x)), expected, atol=1e-5)


@pytest.mark.parametrize("make", CASES)
def test_no_tensor_has_a_row_for_each_query(make):
    model, other = folded(make, 264, 288)
    heads, tokens = model.get_layer("block_0_attention").num_heads, 33 * 36
    assert largest_tensor(other) < heads * tokens**2 / 4
    _, short = folded(make, 120, 120)  # 225 patches: one product for all queries
    assert largest_tensor(short) >= heads * 225**2
