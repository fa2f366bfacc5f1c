"""TensorFlow's own rewriting of a folded model fuses its linear layers."""

from collections import Counter

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import (
    convert_variables_to_constants_v2,
)

from keras_cait.export.folding.fold import fold
from tests.support.graphs import optimized_graphs
from tests.support.models.tiny_models import randomize, tiny_cait, tiny_deit

V1 = tf.compat.v1  # whose sessions return the graph that they run


def optimized_operations(model, batch):
    """How many operations of each kind run, as in `predict` and in a SavedModel."""
    images = tf.TensorSpec((batch, *model.input_shape[1:]), "float32")
    function = tf.function(lambda x: model(x), autograph=False)
    frozen = convert_variables_to_constants_v2(function.get_concrete_function(images))
    values = np.zeros((batch or 2, *model.input_shape[1:]), "float32")
    metadata = V1.RunMetadata()
    with optimized_graphs(), V1.Session(graph=frozen.graph) as session:
        session.run(
            [output.name for output in frozen.outputs],
            {frozen.inputs[0].name: values},
            options=V1.RunOptions(output_partition_graphs=True),
            run_metadata=metadata,
        )
    return Counter(
        node.op for graph in metadata.partition_graphs for node in graph.node
    )


@pytest.mark.parametrize("batch", [None, 1, 8])
@pytest.mark.parametrize("family", [tiny_deit, tiny_cait])
def test_linear_layers_are_fused_products_of_two_matrices(family, batch):
    # Not broadcast batches of products, which TensorFlow does not fuse.
    model = family(include_preprocessing=True, distilled=True)
    randomize(model)
    folded = fold(model)
    layers = folded._flatten_layers()
    linear = [layer for layer in layers if isinstance(layer, keras.layers.Dense)]
    found = optimized_operations(folded, batch)
    fused = sum(found[kind] for kind in found if "FusedMatMul" in kind)
    assert fused == len(linear)
