"""Operators, shapes and types that a TFLite file must not contain."""

import keras
import pytest
import tensorflow as tf

from keras_cait.export.tflite import check as tflite_check
from keras_cait.export.tflite.check import check_tflite
from keras_cait.export.tflite.conversion import convert
from keras_cait.export.tflite.file import pack, unpack
from tests.support.models.tiny_models import tiny_deit


def written(function, *shape):
    """Converts a function with TensorFlow's converter alone."""
    concrete = tf.function(function).get_concrete_function(
        tf.TensorSpec(shape, tf.float32, name="x")
    )
    return tf.lite.TFLiteConverter.from_concrete_functions([concrete]).convert()


@pytest.fixture(scope="module")
def content():
    return convert(tiny_deit(depth=1))


def test_the_contents_of_a_valid_file_are_counted(content):
    graph = check_tflite(content, gelus=1)
    assert graph.largest_rank == 4
    assert graph.operators["FULLY_CONNECTED"] == 5
    assert graph.operators["SOFTMAX"] == 2
    assert graph.operators["GELU"] == 1
    assert graph.types.keys() == {"FLOAT32", "INT32"}
    assert graph.runtime == "2.9.0"  # of GELU


def test_other_bytes_are_refused():
    with pytest.raises(ValueError, match=r"Expected a TFLite file.*8 bytes"):
        check_tflite(b"whatever")


def test_a_tensor_of_five_axes_is_refused():
    def split(x):
        return tf.transpose(tf.reshape(x, (1, 2, 3, 2, 2)), (0, 2, 1, 4, 3))

    with pytest.raises(ValueError, match=r"more than 4 axes.*\(1, 2, 3, 2, 2\)"):
        check_tflite(written(split, 1, 24))


def test_an_unknown_batch_size_is_refused():
    with pytest.raises(ValueError, match=r"not contain SHAPE.*run time"):
        check_tflite(written(lambda x: tf.reshape(x, (tf.shape(x)[0], 2, 2)), None, 4))
    with pytest.raises(ValueError, match=r"Every size must be known.*of RELU"):
        check_tflite(written(tf.nn.relu, None, 4))


def test_broadcasting_is_refused():
    with pytest.raises(ValueError, match=r"not contain BROADCAST_TO: GPU.*computes"):
        check_tflite(written(lambda x: tf.broadcast_to(x, (3, 4, 4)), 1, 4, 4))


def test_a_file_without_its_weights_is_refused(tmp_path):
    # As the converter does with a SavedModel of a Keras model.
    module = tf.Module()
    module.model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    module.call = tf.function(
        lambda x: module.model(x), input_signature=[tf.TensorSpec((1, 4))]
    )
    tf.saved_model.save(module, tmp_path, module.call.get_concrete_function())
    content = tf.lite.TFLiteConverter.from_saved_model(str(tmp_path)).convert()
    with pytest.raises(ValueError, match="VAR_HANDLE: the weights were left out"):
        check_tflite(content)


def test_operators_that_are_not_built_in_are_refused():
    concrete = tf.function(tf.linalg.inv).get_concrete_function(tf.TensorSpec((2, 2)))
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete])
    converter.target_spec.supported_ops = [tf.lite.OpsSet.SELECT_TF_OPS]
    with pytest.raises(ValueError, match="CUSTOM FlexMatrixInverse, which computes"):
        check_tflite(converter.convert())


def test_gelu_that_is_not_one_exact_operator_is_refused():
    with pytest.raises(ValueError, match=r"GELU must be exact.*tanh"):
        check_tflite(written(lambda x: tf.nn.gelu(x, approximate=True), 1, 4))
    with pytest.raises(ValueError, match=r"2 activations must be one GELU.*1 GELU"):
        check_tflite(written(lambda x: tf.nn.gelu(x, approximate=False), 1, 4), gelus=2)


def test_two_graphs_or_two_outputs_are_refused(content):
    model = unpack(content)
    model.subgraphs *= 2
    with pytest.raises(ValueError, match=r"must have one graph.*2 graphs"):
        check_tflite(pack(model))
    with pytest.raises(
        ValueError, match=r"one input and .*, 1\. Received: 1 inputs and 2"
    ):
        check_tflite(written(lambda x: (x + 1, x + 2), 1, 4))


def test_tensors_are_described_only_in_errors(content, monkeypatch):
    """In a large model, describing every tensor would take most of the time."""
    described = []
    place = tflite_check._place
    monkeypatch.setattr(
        tflite_check, "_place", lambda *row: described.append(row) or place(*row)
    )
    check_tflite(content)
    assert not described
    with pytest.raises(ValueError, match="of RELU"):
        check_tflite(written(tf.nn.relu, None, 4))
    assert len(described) == 1
