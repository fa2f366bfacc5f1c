"""Warm-up requests, which TensorFlow Serving runs before it accepts others."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from keras_cait.optional_packages import import_optional

FILE = "assets.extra/tf_serving_warmup_requests"  # TensorFlow Serving's path
APIS = "tensorflow_serving.apis"


def write_warmup(folder: Path, requests: Mapping[str, Any]) -> None:
    """Writes one request for each signature, with a batch for its input `images`.

    Without it the first client would wait: the first run of a graph allocates memory,
    and takes a few times as long. Format:
    https://www.tensorflow.org/tfx/serving/saved_model_warmup.
    """
    logs = import_optional(f"{APIS}.prediction_log_pb2", "export")
    path = folder / FILE
    path.parent.mkdir()
    with tf.io.TFRecordWriter(str(path)) as file:
        for signature, images in requests.items():
            request = predict_request(signature, images)
            log = logs.PredictionLog(predict_log=logs.PredictLog(request=request))
            file.write(log.SerializeToString(deterministic=True))


def read_warmup(folder: Path) -> list[Any]:
    """Reads the requests of a version, as `PredictRequest` messages."""
    logs = import_optional(f"{APIS}.prediction_log_pb2", "export")
    # TensorFlow's default, which it logs unless it is given.
    records = tf.data.TFRecordDataset(str(folder / FILE), buffer_size=2**18)
    return [
        logs.PredictionLog.FromString(one).predict_log.request
        for one in records.as_numpy_iterator()
    ]


def predict_request(signature: str, images: Any) -> Any:
    """A `PredictRequest` to a signature, with the input `images`."""
    request = import_optional(f"{APIS}.predict_pb2", "export").PredictRequest()
    request.model_spec.signature_name = signature
    request.inputs["images"].CopyFrom(tf.make_tensor_proto(images))
    return request
