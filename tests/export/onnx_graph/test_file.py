"""Files that no runtime would load are refused, and what is wrong is named."""

import keras
import onnx
import pytest
import tensorflow as tf
import tf2onnx
from onnx import TensorProto, helper

from keras_cait.export.onnx_graph.file import check_onnx


def write(path, *nodes, shape=("batch", 3), opset=18, **options):
    """A file of nodes from x to y, both of one shape."""
    values = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in "xy"
    ]
    graph = helper.make_graph(nodes, "graph", values[:1], values[1:], **options)
    versions = [helper.make_opsetid("", opset)]
    onnx.save(helper.make_model(graph, opset_imports=versions), path)
    return path


def test_a_valid_file_is_described(tmp_path):
    nodes = [
        helper.make_node("Relu", ["x"], ["a"]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Add", ["b", "b"], ["y"]),
    ]
    found = check_onnx(write(tmp_path / "a.onnx", *nodes, opset=17))
    assert found.operators == {"Relu": 2, "Add": 1}
    assert (found.largest_rank, found.opset) == (2, 17)


def test_what_the_converter_writes_of_erfc_is_refused(tmp_path):
    inputs = keras.Input((4,))
    outputs = keras.layers.Activation(keras.activations.gelu)(inputs)
    model = keras.Model(inputs, outputs)
    signature = [tf.TensorSpec((None, 4), name="x")]
    function = tf.function(model, input_signature=signature)
    path = tmp_path / "a.onnx"
    # It raises nothing, and writes the file.
    tf2onnx.convert.from_function(function, signature, opset=18, output_path=str(path))
    with pytest.raises(ValueError, match="no operator Erfc in opset 18"):
        check_onnx(path)


@pytest.mark.parametrize(
    ("node", "message"),
    [
        (helper.make_node("Gelu", ["x"], ["y"], domain="com.x"), r"com\.x\.Gelu"),
        (helper.make_node("Gelu", ["x"], ["y"]), "no operator Gelu in opset 18"),
        (helper.make_node("Relu", ["x"], ["y"], slope=1), "not valid ONNX"),
        (helper.make_node("Gather", ["x", "x"], ["y"]), "not valid ONNX"),
        (helper.make_node("Concat", ["x", "x"], ["y"], axis=1), "not valid ONNX"),
        (helper.make_node("Relu", ["z"], ["y"]), "not valid ONNX"),
    ],
)
def test_what_is_not_valid_is_refused(node, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        check_onnx(write(tmp_path / "a.onnx", node))


def test_five_axes_are_refused(tmp_path):
    shape = [1, 3, 1, 1, 1]
    node = helper.make_node("Relu", ["x"], ["y"])
    with pytest.raises(ValueError, match=r"more than 4 axes. Received: x with 5"):
        check_onnx(write(tmp_path / "a.onnx", node, shape=shape))


def test_axes_within_the_graph_are_counted(tmp_path):
    apart, together = (
        helper.make_tensor(name, TensorProto.INT64, [len(sizes)], sizes)
        for name, sizes in (("apart", [-1, 1, 1, 1, 3]), ("together", [-1, 3]))
    )
    nodes = [
        helper.make_node("Reshape", ["x", "apart"], ["a"]),
        helper.make_node("Reshape", ["a", "together"], ["y"]),
    ]
    path = write(tmp_path / "a.onnx", *nodes, initializer=[apart, together])
    with pytest.raises(ValueError, match="a with 5"):
        check_onnx(path)
