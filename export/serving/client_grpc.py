"""`Predict` over TensorFlow Serving's gRPC, for client.py beside it."""

import logging
import math
from collections.abc import Sequence
from typing import Any

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

# It logs the traceback of an invalid answer; the status contains the same error.
logging.getLogger("grpc").addHandler(logging.NullHandler())


def predict(
    target: str,
    images: Sequence[Any],
    *,
    model: str,
    version: int | None,
    signature: str,
    timeout: float,
    largest: int,
) -> tuple[str, str, dict[str, list[Any]]]:
    """Sends `PredictionService.Predict`, and waits at most `timeout` seconds.

    As `predict` of client_rest.py, but `target` is "host:port", and the first value is
    the name of gRPC's status, or "TOO_LARGE". Raises `TypeError` or `ValueError` if an
    output is not a tensor.
    """
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    request.model_spec.signature_name = signature
    if version is not None:
        request.model_spec.version.value = version
    batch = list(images) if isinstance(images[0], bytes) else np.stack(images)
    request.inputs["images"].CopyFrom(tf.make_tensor_proto(batch))
    sizes = [
        ("grpc.max_send_message_length", -1),
        ("grpc.max_receive_message_length", largest),
    ]
    with grpc.insecure_channel(target, sizes) as channel:
        try:
            stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
            answer = stub.Predict(request, timeout=timeout)
        except grpc.RpcError as error:
            message = error.details() or ""
            too_large = "Received message larger than max" in message  # gRPC's text
            return "TOO_LARGE" if too_large else error.code().name, message, {}
    return "OK", "", {name: _values(one) for name, one in answer.outputs.items()}


def _values(tensor: Any) -> list[Any]:
    """A tensor as nested lists. Raises if its shape exceeds the values sent."""
    size = math.prod(dimension.size for dimension in tensor.tensor_shape.dim)
    texts = len(tensor.string_val)
    # TensorFlow repeats the last value up to the size of the shape, which may be huge.
    if size > tensor.ByteSize() or texts not in (0, size):
        raise ValueError(f"a tensor of {size} values in {tensor.ByteSize()} bytes")
    return _decoded(tf.make_ndarray(tensor).tolist())


def _decoded(value: Any) -> Any:
    if isinstance(value, list):
        return [_decoded(one) for one in value]
    return value.decode() if isinstance(value, bytes) else value
