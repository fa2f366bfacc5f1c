"""Asks a TensorFlow Serving what is on images, over REST or gRPC.

    python client.py cat.jpg dog.png
    python client.py --grpc localhost:8500 cat.jpg
    python client.py --signature features cat.jpg > features.json

Needs Python alone; for `--grpc` tensorflow-serving-api and for other signatures than
`serving_default` Pillow and NumPy. May be copied anywhere.

It ends with 0, or with one line on stderr and

    2  wrong arguments                    6  the server refused the request, as an
    3  the server cannot be reached,         image that it cannot decode
       or takes no requests now           7  an image cannot be read here
    4  no answer in time                  8  the server failed, or talks otherwise
    5  no such model or version           9  a package is missing
"""

import argparse
import base64
import functools
import http.client
import json
import re
import sys
import threading
import urllib.error
import urllib.request
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import Future
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
        lines = _lines(options)
    except ClientError as error:
        print(f"client.py: {error}", file=sys.stderr)  # noqa: T201
        return error.code
    print("\n".join(lines))  # noqa: T201
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
    seconds = "seconds that a request may take in all (%(default)s)"
    add("--timeout", type=_positive(float), default=30.0, help=seconds)
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
    packages = [] if signature == FILES else ["numpy", "PIL.Image"]
    needed = [_needed(name) for name in packages]
    try:
        if not needed:
            return path.read_bytes()
        numpy, pillow = needed
        with warnings.catch_warnings():  # of a size that could be meant to harm
            warnings.simplefilter("error", pillow.DecompressionBombWarning)
            with pillow.open(path) as file:
                return numpy.asarray(file.convert("RGB"), "float32")
    except Exception as error:  # each of Pillow's readers has its own
        reason = getattr(error, "strerror", None) or error
        raise ClientError(UNREADABLE, f"cannot read {path}: {reason}") from error


_NO_ANSWERS = (http.client.HTTPException, LookupError, TypeError, ValueError)


def _lines(options: argparse.Namespace) -> list[str]:
    """What is said of each image; an answer may be anything, of any server."""
    images = [_read(path, options.signature) for path in options.images]
    # Files of any size go in one request; decoded images are of one size each.
    requests = [images] if options.signature == FILES else [[one] for one in images]
    ask = _over_rest if options.grpc is None else _over_grpc
    try:
        rows = [row for one in requests for row in _rows(ask(options, one), len(one))]
        pairs = zip(options.images, rows, strict=True)
        return [_said(path, row, options.top) for path, row in pairs]
    except _NO_ANSWERS as error:
        where = options.url if options.grpc is None else options.grpc
        what = f"{where} does not talk as TensorFlow Serving does"
        raise ClientError(FAILED, f"{what}: {type(error).__name__}: {error}") from error


def _over_rest(options: argparse.Namespace, images: list[Any]) -> Outputs:
    """POST .../v1/models/MODEL[/versions/VERSION]:predict, and its answer."""
    version = "" if options.version is None else f"/versions/{options.version}"
    body: dict[str, Any] = {"signature_name": options.signature}
    if options.signature == FILES:
        rows = [{"b64": base64.b64encode(image).decode()} for image in images]
        body["instances"] = rows
    else:
        body["inputs"] = {"images": [image.tolist() for image in images]}
    address = f"{options.url}/v1/models/{options.model}{version}:predict"
    data = json.dumps(body).encode()
    post = functools.partial(_posted, address, data, options.timeout)
    try:
        code, content = _within(options.timeout, post)
    except OSError as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, TimeoutError):
            raise _too_late(options) from error
        raise _unreachable(options.url, reason) from error
    if code != http.HTTPStatus.OK:
        raise _refusal(code, _rest_error(code, content), options)
    return _rest_outputs(json.loads(content))


def _posted(address: str, data: bytes, timeout: float) -> tuple[int, bytes]:
    """The code and the body of an answer; of an error's what there is of it."""
    json_inside = {"Content-Type": "application/json"}
    request = urllib.request.Request(address, data, json_inside)
    try:
        with urllib.request.urlopen(request, timeout=timeout) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        with error:
            try:
                return error.code, error.read()
            except http.client.IncompleteRead as cut:
                return error.code, cut.partial


def _within(seconds: float, work: Callable[[], Any]) -> Any:
    """What work gives: a socket's timeout bounds each of its steps, not their sum."""
    done: Future[Any] = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except Exception as error:  # noqa: BLE001  (raised where it is waited for)
            done.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return done.result(timeout=seconds)


def _rest_outputs(answer: dict[str, Any]) -> Outputs:
    """Both forms of an answer; one with a single output leaves out its name."""
    if "predictions" in answer:
        rows = answer["predictions"]
        if not isinstance(rows[0], dict):
            return {"outputs": rows}
        return {name: [row[name] for row in rows] for name in rows[0]}
    outputs = answer["outputs"]
    return outputs if isinstance(outputs, dict) else {"outputs": outputs}


def _rest_error(code: int, content: bytes) -> str:
    body = content.decode(errors="replace")
    try:
        return str(json.loads(body)["error"])
    except (KeyError, TypeError, ValueError):
        return body or http.client.responses.get(code, "")


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
    sizes = [(f"grpc.max_{way}_message_length", -1) for way in ("send", "receive")]
    with grpc.insecure_channel(options.grpc, sizes) as channel:
        try:
            stub = service.PredictionServiceStub(channel)
            answer = stub.Predict(request, timeout=options.timeout)
        except grpc.RpcError as error:
            code, details = error.code().name, error.details()
            if code == "UNAVAILABLE":  # or has too many requests already
                raise _unreachable(options.grpc, details) from error
            raise _refusal(code, details, options) from error
    arrays = {name: tensorflow.make_ndarray(v) for name, v in answer.outputs.items()}
    return {name: _plain(values.tolist()) for name, values in arrays.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value.decode() if isinstance(value, bytes) else value


_KINDS: dict[int, tuple[int | str, ...]] = {  # the codes of HTTP and gRPC that mean it
    UNREACHABLE: (429, 503, "RESOURCE_EXHAUSTED"),
    TIMEOUT: (504, "DEADLINE_EXCEEDED"),
    NOT_FOUND: (404, "NOT_FOUND"),
    REFUSED: (400, "INVALID_ARGUMENT", "FAILED_PRECONDITION", "OUT_OF_RANGE"),
}
_SAID = {REFUSED: "refused the request", UNREACHABLE: "takes no requests now"}


def _refusal(code: int | str, message: str, options: argparse.Namespace) -> ClientError:
    """What an error of the server means."""
    kind = next((kind for kind, codes in _KINDS.items() if code in codes), FAILED)
    if kind == TIMEOUT:
        return _too_late(options)
    if kind == NOT_FOUND:
        version = "" if options.version is None else f", version {options.version}"
        what = f"the server has no model {options.model!r}{version}"
        return ClientError(kind, f"{what}: {message}")
    what = _SAID.get(kind, f"failed ({code})")
    # TensorFlow wraps what a model says in where it said it.
    said = re.search(r"assertion failed: \[(.*?)\]\s*(\[\[|$)", message, re.DOTALL)
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
        what = f"{error}. Install it: pip install {package}"
        raise ClientError(MISSING, what) from error


def _rows(outputs: Outputs, number: int) -> list[dict[str, Any]]:
    """The same by image, of which there are so many."""
    columns = {name: len(values) for name, values in outputs.items()}
    if set(columns.values()) != {number}:
        raise ValueError(f"rows {columns} for {number} images")
    return [{name: outputs[name][index] for name in outputs} for index in range(number)]


def _said(path: Path, row: dict[str, Any], top: int) -> str:
    """A line for each of the likeliest classes, or all outputs as JSON."""
    if "scores" not in row:
        return json.dumps({"image": str(path), **row})
    names = row["classes"] if "classes" in row else row["indices"]
    best = list(zip(names, row["scores"], strict=True))[:top]
    return "\n".join([f"{path}:", *(f"  {score:7.2%}  {name}" for name, score in best)])


if __name__ == "__main__":
    sys.exit(main())
