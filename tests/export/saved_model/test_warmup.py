"""Warm-up requests of TensorFlow Serving run on the exported model."""

import sys

import pytest
import tensorflow as tf

from keras_cait.export.saved_model.warmup import read_warmup
from keras_cait.export.to_saved_model import to_saved_model
from tests.support.models.tiny_models import tiny_deit


def test_every_signature_has_a_warm_up_request_that_runs(served):
    assert (served.path / "assets.extra" / "tf_serving_warmup_requests").is_file()
    requests = read_warmup(served.path)
    names = [request.model_spec.signature_name for request in requests]
    assert sorted(names) == sorted(served.signatures)
    for name, request in zip(names, requests, strict=True):
        assert list(request.inputs) == ["images"]
        images = tf.constant(tf.make_ndarray(request.inputs["images"]))
        answer = served.signatures[name](images=images)
        assert {len(rows) for rows in answer.values()} == {1}


def test_the_warm_up_request_of_files_is_a_jpeg(served):
    (request,) = [
        request
        for request in read_warmup(served.path)
        if request.model_spec.signature_name == "serving_default"
    ]
    (file,) = tf.make_ndarray(request.inputs["images"])
    assert tf.io.is_jpeg(file)
    image = tf.io.decode_jpeg(file)
    assert image.shape == (375, 500, 3)
    assert tf.math.reduce_std(tf.cast(image, "float32")) > 20  # gray levels


def test_without_tensorflow_serving_api_nothing_is_written(tmp_path, monkeypatch):
    name = "tensorflow_serving.apis.prediction_log_pb2"
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ModuleNotFoundError, match=r"keras-cait\[export\]"):
        to_saved_model(tiny_deit(depth=1), tmp_path)
    assert list(tmp_path.iterdir()) == []
