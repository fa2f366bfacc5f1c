"""Servers with the protocols of TensorFlow Serving, for a loaded SavedModel.

The protocol is the real one, over HTTP and gRPC on this machine; the server is not.
"""

import base64
import contextlib
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

NAME, VERSION = "keras_cait", 1
_PREDICT = re.compile(r"/v1/models/([^/:]+)(?:/versions/(\d+))?:predict")


class RefusedError(Exception):
    """An error response of a server."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


# Errors for a missing signature: over REST in `GetInfoMap` of http_rest_api_handler.cc,
# over gRPC in predict_util.cc.
REST_MISSING = (
    "INVALID_ARGUMENT",
    'Serving signature name: "{}" not found in signature def',
)
GRPC_MISSING = ("FAILED_PRECONDITION", 'Serving signature key "{}" not found.')
# As `ToHTTPStatusCode` of http_server.cc; the test server gives 500 for other codes.
STATUSES = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "OUT_OF_RANGE": 400,
    "NOT_FOUND": 404,
    "RESOURCE_EXHAUSTED": 429,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}


def predict(
    signatures: dict,
    model: str,
    version: int | None,
    signature: str,
    images: Any,
    missing: tuple[str, str],
) -> dict[str, np.ndarray]:
    """Handles a request as TensorFlow Serving does, with the same error messages."""
    if model != NAME or version not in (None, VERSION):
        asked = (
            f"Latest({model})" if version is None else f"Specific({model}, {version})"
        )
        raise RefusedError("NOT_FOUND", f"Servable not found for request: {asked}")
    if signature not in signatures:
        code, message = missing
        raise RefusedError(code, message.format(signature))
    files = ("serving_default", "outputs_of_files")
    kind = "string" if signature in files else "float32"
    try:
        answer = signatures[signature](images=tf.constant(images, kind))
    except tf.errors.OpError as error:
        (code,) = (one for one in grpc.StatusCode if one.value[0] == error.error_code)
        raise RefusedError(code.name, error.message) from error
    return {name: value.numpy() for name, value in answer.items()}


@contextlib.contextmanager
def over_rest(
    signatures: dict, *, delay: float = 0.0, state: str = "AVAILABLE"
) -> Iterator[str]:
    """A server on a free port; yields its address.

    `delay` is in seconds a request, `state` the reported state of the model.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status = {"error_code": "OK", "error_message": ""}
            row = {"version": str(VERSION), "state": state, "status": status}
            self.answer(200, {"model_version_status": [row]})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            time.sleep(delay)
            try:
                self.answer(200, rest_answer(signatures, self.path, body))
            except RefusedError as error:
                self.answer(STATUSES.get(error.code, 500), {"error": str(error)})

        def answer(self, status: int, body: dict) -> None:
            content = json.dumps(
                body, indent=1
            ).encode()  # the spaces of TensorFlow Serving
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None: ...

    with serving(Handler) as address:
        yield address


@contextlib.contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """Runs an HTTP server on a free port; yields its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def rest_answer(signatures: dict, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Answers in rows or columns, as the request; a single output has no name."""
    match = _PREDICT.fullmatch(path)
    if match is None:
        raise RefusedError("NOT_FOUND", f"Malformed request: POST {path}")
    rows = body.get("instances")
    images = body["inputs"] if rows is None else rows
    images = images["images"] if isinstance(images, dict) else images
    images = [
        base64.b64decode(one["b64"]) if isinstance(one, dict) else one for one in images
    ]
    found = predict(
        signatures,
        match[1],
        None if match[2] is None else int(match[2]),
        body.get("signature_name", "serving_default"),
        images,
        REST_MISSING,
    )
    columns = {name: _plain(values) for name, values in found.items()}
    if rows is None:
        alone = next(iter(columns.values()))
        return {"outputs": columns if len(columns) > 1 else alone}
    if len(columns) == 1:
        return {"predictions": next(iter(columns.values()))}
    return {
        "predictions": [
            dict(zip(columns, values, strict=True))
            for values in zip(*columns.values(), strict=True)
        ]
    }


def _plain(values: np.ndarray) -> list[Any]:
    return (values.astype(str) if values.dtype == object else values).tolist()


class Service(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Answers `Predict`, and stores the requests."""

    def __init__(self, signatures: dict, delay: float) -> None:
        self.signatures = signatures
        self.delay = delay
        self.requests: list[predict_pb2.PredictRequest] = []

    def Predict(self, request: Any, context: Any) -> predict_pb2.PredictResponse:  # noqa: N802
        self.requests.append(request)
        time.sleep(self.delay)
        spec = request.model_spec
        version = spec.version.value if spec.HasField("version") else None
        images = tf.make_ndarray(request.inputs["images"])
        try:
            found = predict(
                self.signatures,
                spec.name,
                version,
                spec.signature_name,
                images,
                GRPC_MISSING,
            )
        except RefusedError as error:
            context.abort(getattr(grpc.StatusCode, error.code), str(error))
            raise
        response = predict_pb2.PredictResponse(model_spec=spec)
        for name, values in found.items():
            response.outputs[name].CopyFrom(tf.make_tensor_proto(values))
        return response


@contextlib.contextmanager
def over_grpc(signatures: dict, *, delay: float = 0.0) -> Iterator[tuple[str, Service]]:
    """A server on a free port; yields its address and its service."""
    service = Service(signatures, delay)
    add = prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server
    with _serving_grpc(lambda server: add(service, server)) as target:
        yield target, service


@contextlib.contextmanager
def content_over_grpc(content: bytes) -> Iterator[str]:
    """A server that answers every `Predict` with these bytes; yields its address."""
    method = grpc.unary_unary_rpc_method_handler(lambda request, context: content)
    handler = grpc.method_handlers_generic_handler(
        "tensorflow.serving.PredictionService", {"Predict": method}
    )
    with _serving_grpc(lambda it: it.add_generic_rpc_handlers((handler,))) as target:
        yield target


@contextlib.contextmanager
def _serving_grpc(add: Callable[[grpc.Server], None]) -> Iterator[str]:
    largest = [("grpc.max_receive_message_length", -1)]  # as TensorFlow Serving
    server = grpc.server(futures.ThreadPoolExecutor(4), options=largest)
    add(server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(grace=None).wait()
