"""Asks a TensorFlow Serving what is on images, over REST or gRPC.

    python client.py cat.jpg dog.png
    python client.py --grpc localhost:8500 cat.jpg
    python client.py --signature features cat.jpg > features.json

Needs Python alone; for `--grpc` tensorflow-serving-api and for other signatures than
`serving_default` Pillow and NumPy. May be copied anywhere.

It ends with 0, or with one line on stderr and

    2  wrong arguments                    6  the server refused the request, as an
    3  the server cannot be reached          image that it cannot decode
    4  no answer in time                  7  an image cannot be read here
    5  no such model or version           8  the server failed, or talks otherwise
                                          9  a package is missing
"""

import argparse
import base64
import http.client
import json
import re
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

UNREACHABLE, TIMEOUT, NOT_FOUND, REFUSED, UNREADABLE, FAILED, MISSING = range(3, 10)
_URL = "http://localhost:8501"
FILES = "serving_default"  # the signature that takes files

Outputs = dict[str, list[Any]]
"""Name of an output to its value for each image."""


class ClientError(Exception):
    """What went wrong, in a line, and the code to end with."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(re.sub(r"\s+", " ", message).strip())
        self.code = code


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns what the process is to end with."""
    options = _parser().parse_args(arguments)
    try:
        images = [_read(path, options.signature) for path in options.images]
        # Files of any size go in one request; decoded images are of one size each.
        requests = [images] if options.signature == FILES else [[one] for one in images]
        ask = _over_grpc if options.grpc else _over_rest
        answers = [ask(options, request) for request in requests]
        rows = [row for outputs in answers for row in _rows(outputs)]
        for path, row in zip(options.images, rows, strict=True):
            print(_said(path, row, options.top))  # noqa: T201
    except ClientError as error:
        print(f"client.py: {error}", file=sys.stderr)  # noqa: T201
        return error.code
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("images", nargs="+", type=Path, metavar="IMAGE")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--url", type=_url, default=_URL, help="of REST (%(default)s)")
    where.add_argument("--grpc", metavar="HOST:PORT", help="ask over gRPC instead")
    add("--model", default="keras_cait", help="its name there (%(default)s)")
    add("--version", type=int, help="of the model; the newest one otherwise")
    add("--signature", default=FILES, help="what is asked (%(default)s)")
    add("--top", type=_positive(int), default=5, help="classes to show (%(default)s)")
    add(
        "--timeout",
        type=_positive(float),
        default=30.0,
        help="seconds to wait for an answer (%(default)s)",
    )
    return parser


def _url(text: str) -> str:
    if not re.match(r"https?://[^/]", text):
        raise argparse.ArgumentTypeError(f"must begin with http://. Received: {text}")
    return text.rstrip("/")


def _positive(kind: Callable[[str], Any]) -> Callable[[str], Any]:
    def number(text: str) -> Any:
        value = kind(text)
        if not 0 < value < 1e6:
            raise argparse.ArgumentTypeError(f"must be above 0. Received: {text}")
        return value

    return number


def _read(path: Path, signature: str) -> Any:
    """The bytes of an image, or its pixels `(height, width, 3)` float32."""
    try:
        if signature == FILES:
            return path.read_bytes()
        numpy, image = _needed("numpy"), _needed("PIL.Image")
        with image.open(path) as file:
            return numpy.asarray(file.convert("RGB"), "float32")
    except OSError as error:
        reason = error.strerror or error
        raise ClientError(UNREADABLE, f"cannot read {path}: {reason}") from error


def _over_rest(options: argparse.Namespace, images: list[Any]) -> Outputs:
    """POST .../v1/models/MODEL[/versions/VERSION]:predict, and its answer."""
    base = options.url
    version = "" if options.version is None else f"/versions/{options.version}"
    body: dict[str, Any] = {"signature_name": options.signature}
    if options.signature == FILES:
        rows = [{"b64": base64.b64encode(image).decode()} for image in images]
        body["instances"] = rows
    else:
        body["inputs"] = {"images": [image.tolist() for image in images]}
    try:
        request = urllib.request.Request(
            f"{base}/v1/models/{options.model}{version}:predict",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=options.timeout) as response:
            return _rest_outputs(json.load(response))
    except urllib.error.HTTPError as error:
        raise _refusal(error.code, _rest_error(error), options) from error
    except TimeoutError as error:
        raise _too_late(options) from error
    except urllib.error.URLError as error:
        if isinstance(error.reason, TimeoutError):
            raise _too_late(options) from error
        raise _unreachable(base, error.reason) from error
    except OSError as error:  # it hung up
        raise _unreachable(base, error) from error
    except (http.client.HTTPException, LookupError, TypeError, ValueError) as error:
        raise ClientError(
            FAILED, f"{base} does not talk as TensorFlow Serving does: {error}"
        ) from error


def _rest_outputs(answer: dict[str, Any]) -> Outputs:
    """Both forms of an answer; one with a single output leaves out its name."""
    if "predictions" in answer:
        rows = answer["predictions"]
        if not isinstance(rows[0], dict):
            return {"outputs": rows}
        return {name: [row[name] for row in rows] for name in rows[0]}
    outputs = answer["outputs"]
    return outputs if isinstance(outputs, dict) else {"outputs": outputs}


def _rest_error(error: urllib.error.HTTPError) -> str:
    body = error.read().decode(errors="replace")
    try:
        return str(json.loads(body)["error"])
    except (KeyError, TypeError, ValueError):
        return body or str(error.reason)


def _over_grpc(options: argparse.Namespace, images: list[Any]) -> Outputs:
    """`PredictionService.Predict`, and its answer."""
    grpc = _needed("grpc")
    predict = _needed("tensorflow_serving.apis.predict_pb2")
    service = _needed("tensorflow_serving.apis.prediction_service_pb2_grpc")
    tensorflow = _needed("tensorflow")
    request = predict.PredictRequest()
    request.model_spec.name = options.model
    request.model_spec.signature_name = options.signature
    if options.version is not None:
        request.model_spec.version.value = options.version
    if options.signature != FILES:
        images = _needed("numpy").stack(images)
    request.inputs["images"].CopyFrom(tensorflow.make_tensor_proto(images))
    with grpc.insecure_channel(
        options.grpc, [("grpc.max_send_message_length", -1)]
    ) as c:
        try:
            stub = service.PredictionServiceStub(c)
            answer = stub.Predict(request, timeout=options.timeout)
        except grpc.RpcError as error:
            code, details = error.code().name, error.details()
            if code == "UNAVAILABLE":  # or has too many requests already
                raise _unreachable(options.grpc, details) from error
            raise _refusal(code, details, options) from error
    arrays = {name: tensorflow.make_ndarray(v) for name, v in answer.outputs.items()}
    return {name: [_plain(row) for row in rows] for name, rows in arrays.items()}


def _plain(row: Any) -> list[Any]:
    return [one.decode() if isinstance(one, bytes) else one for one in row.tolist()]


_CODES = {  # of HTTP and of gRPC
    400: REFUSED,
    "INVALID_ARGUMENT": REFUSED,
    404: NOT_FOUND,
    "NOT_FOUND": NOT_FOUND,
    504: TIMEOUT,
    "DEADLINE_EXCEEDED": TIMEOUT,
}


def _refusal(code: int | str, message: str, options: argparse.Namespace) -> ClientError:
    """What an error of the server means."""
    kind = _CODES.get(code, FAILED)
    if kind == TIMEOUT:
        return _too_late(options)
    if kind == NOT_FOUND:
        version = "" if options.version is None else f", version {options.version}"
        return ClientError(
            kind, f"the server has no model {options.model!r}{version}: {message}"
        )
    # TensorFlow wraps what a model says in where it said it.
    said = re.search(r"assertion failed: \[(.*?)\]\s*(\[\[|$)", message, re.DOTALL)
    what = "refused the request" if kind == REFUSED else f"failed ({code})"
    return ClientError(kind, f"the server {what}: {said[1] if said else message}")


def _too_late(options: argparse.Namespace) -> ClientError:
    return ClientError(TIMEOUT, f"no answer within {options.timeout:g} s")


def _unreachable(where: str, reason: object) -> ClientError:
    return ClientError(UNREACHABLE, f"cannot reach {where}: {reason}")


def _needed(name: str) -> Any:
    packages = {"PIL.Image": "pillow", "grpc": "grpcio", "numpy": "numpy"}
    try:
        return __import__(name, fromlist=["_"])
    except ModuleNotFoundError as error:
        package = packages.get(name, "tensorflow-serving-api")
        raise ClientError(
            MISSING, f"{error}. Install it: pip install {package}"
        ) from error


def _rows(outputs: Outputs) -> list[dict[str, Any]]:
    """The same by image."""
    return [
        dict(zip(outputs, values, strict=True))
        for values in zip(*outputs.values(), strict=True)
    ]


def _said(path: Path, row: dict[str, Any], top: int) -> str:
    """A line for each of the likeliest classes, or all outputs as JSON."""
    if "scores" not in row:
        return json.dumps({"image": str(path), **row})
    names = row.get("classes", row["indices"])
    best = list(zip(names, row["scores"], strict=True))[:top]
    return "\n".join([f"{path}:", *(f"  {score:7.2%}  {name}" for name, score in best)])


if __name__ == "__main__":
    sys.exit(main())
