"""Classifies images with a TensorFlow Serving server, over REST or gRPC.

    python client.py cat.jpg dog.png
    python client.py --grpc localhost:8500 cat.jpg
    python client.py --signature features cat.jpg > features.json

Needs only Python; --grpc needs tensorflow-serving-api, and signatures other than
serving_default and outputs_of_files need Pillow and NumPy. The file can be copied
anywhere, with client_rest.py and client_grpc.py beside it.

Exits with 0, or with one line on stderr and

    2  wrong arguments                    6  the server refused the request, as an
    3  the server cannot be reached,         image that it cannot decode
       or takes no requests now           7  an image cannot be read here
    4  no answer in time                  8  the server failed, or its answer is invalid
    5  no such model or version           9  a package is missing
                                        130  Ctrl-C

Redirects are not followed. Control characters in texts of a server are escaped.
"""

import argparse
import contextlib
import http.client
import json
import os
import re
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

UNREACHABLE, TIMEOUT, NOT_FOUND, REFUSED, UNREADABLE, FAILED, MISSING = range(3, 10)
INTERRUPTED = 130  # the exit code of shells
FILES = ("serving_default", "outputs_of_files")  # the signatures that take files
_URL = "http://localhost:8501"
_LONGEST = 1000  # characters of a text that are shown

Outputs = dict[str, list[Any]]
"""Name of an output to its value for each image."""


class ClientError(Exception):
    """An error message of one line, and the exit code."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(_printable(" ".join(message.split())))
        self.code = code


def _printable(text: object) -> str:
    """A text from a server that is safe for a terminal: escaped and shortened."""
    whole = str(text)
    escaped = (
        one if one.isprintable() else repr(one)[1:-1] for one in whole[:_LONGEST]
    )
    return "".join(escaped) + (" ..." if len(whole) > _LONGEST else "")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        print("\n".join(_classify(options)))
        return 0
    except ClientError as error:
        line, code = str(error), error.code
    except KeyboardInterrupt:
        line, code = "interrupted", INTERRUPTED
    print(f"client.py: {line}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("images", nargs="+", type=Path, metavar="IMAGE")
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--url", type=_url, default=_URL, help="REST server (%(default)s)"
    )
    where.add_argument(
        "--grpc", metavar="HOST:PORT", help="gRPC server, instead of REST"
    )
    add("--model", default="keras_cait", help="name of the model (%(default)s)")
    add("--version", type=int, help="version of the model (the newest)")
    add("--signature", default=FILES[0], help="signature of the model (%(default)s)")
    add("--top", type=_positive(int), default=5, help="classes to show (%(default)s)")
    seconds = "longest duration of a request, in seconds (%(default)s)"
    add("--timeout", type=_positive(float), default=30.0, help=seconds)
    size = "largest answer, in megabytes (%(default)s)"
    add("--max-answer", type=_positive(float), default=16.0, metavar="MB", help=size)
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
    packages = [] if signature in FILES else ["numpy", "PIL.Image"]
    modules = [_import(name) for name in packages]
    try:
        if not modules:
            return path.read_bytes()
        numpy, pillow = modules
        with warnings.catch_warnings():  # of images that are too large
            warnings.simplefilter("error", pillow.DecompressionBombWarning)
            with pillow.open(path) as file:
                return numpy.asarray(file.convert("RGB"), "float32")
    except Exception as error:  # Pillow's readers raise errors of many types
        reason = getattr(error, "strerror", None) or error
        raise ClientError(UNREADABLE, f"cannot read {path}: {reason}") from error


_INVALID_ANSWER = (
    *(http.client.HTTPException, LookupError, RecursionError, TypeError, ValueError),
)


def _classify(options: argparse.Namespace) -> list[str]:
    """A text for each image. The server need not be trusted: any answer may come."""
    images = [_read(path, options.signature) for path in options.images]
    # One request for all files; one for each decoded image, as their sizes differ.
    requests = [images] if options.signature in FILES else [[one] for one in images]
    try:
        rows = [row for one in requests for row in _rows(_request(options, one), one)]
        pairs = zip(options.images, rows, strict=True)
        return [_describe(path, row, options.top) for path, row in pairs]
    except _INVALID_ANSWER as error:
        where = options.url if options.grpc is None else options.grpc
        what = f"{where} does not talk as TensorFlow Serving does"
        raise ClientError(FAILED, f"{what}: {type(error).__name__}: {error}") from error


def _request(options: argparse.Namespace, images: list[Any]) -> Outputs:
    """Sends one request; returns its outputs."""
    over = "rest" if options.grpc is None else "grpc"
    target = options.url if options.grpc is None else options.grpc
    protocol = _import(f"{__package__ or ''}.client_{over}".lstrip("."))
    try:
        code, message, outputs = protocol.predict(
            target,
            images,
            model=options.model,
            version=options.version,
            signature=options.signature,
            timeout=options.timeout,
            largest=int(options.max_answer * 1e6),
        )
    except TimeoutError as error:
        raise _too_late(options) from error
    except OSError as error:
        raise _unreachable(target, error) from error
    if code == "UNAVAILABLE":  # or has too many requests already
        raise _unreachable(target, message)
    if code not in (http.HTTPStatus.OK, "OK"):
        raise _refusal(code, message, options)
    return outputs


_KINDS: dict[int, tuple[int | str, ...]] = {  # exit code to codes of HTTP and gRPC
    UNREACHABLE: (429, 503, "RESOURCE_EXHAUSTED"),
    TIMEOUT: (504, "DEADLINE_EXCEEDED"),
    NOT_FOUND: (404, "NOT_FOUND"),
    REFUSED: (400, "INVALID_ARGUMENT", "FAILED_PRECONDITION", "OUT_OF_RANGE"),
}
_FAILURES = {REFUSED: "refused the request", UNREACHABLE: "takes no requests now"}


def _refusal(code: int | str, message: str, options: argparse.Namespace) -> ClientError:
    """The error for a status of the server."""
    kind = next((kind for kind, codes in _KINDS.items() if code in codes), FAILED)
    if kind == TIMEOUT:
        return _too_late(options)
    if code == "TOO_LARGE":
        most = f"{options.max_answer:g} MB (--max-answer)"
        return ClientError(kind, f"the server answers with more than {most}")
    message = message[: 10 * _LONGEST]  # the search below may take quadratic time
    if kind == NOT_FOUND:
        version = "" if options.version is None else f", version {options.version}"
        what = f"the server has no model {options.model!r}{version}"
        return ClientError(kind, f"{what}: {message}")
    what = _FAILURES.get(kind, f"failed ({code})")
    # TensorFlow adds the operator to the message of a model.
    inner = re.search(r"assertion failed: \[(.*?)\]\s*(\[\[|$)", message, re.DOTALL)
    return ClientError(kind, f"the server {what}: {inner[1] if inner else message}")


def _too_late(options: argparse.Namespace) -> ClientError:
    return ClientError(TIMEOUT, f"no answer within {options.timeout:g} s")


def _unreachable(where: str, reason: object) -> ClientError:
    return ClientError(UNREACHABLE, f"cannot reach {where}: {reason}")


def _import(name: str) -> Any:
    """Imports a module without TensorFlow's log on the standard error."""
    packages = {"PIL": "pillow", "grpc": "grpcio", "numpy": "numpy"}
    try:
        with _without_stderr():
            return __import__(name, fromlist=["_"])
    except ModuleNotFoundError as error:
        missing = (error.name or name).partition(".")[0]
        package = packages.get(missing, "tensorflow-serving-api")
        advice = f"Install it: pip install {package}"
        if missing == name:
            advice = f"Copy {name}.py beside client.py"
        raise ClientError(MISSING, f"{error}. {advice}") from error


@contextlib.contextmanager
def _without_stderr() -> Iterator[None]:
    """Turns the standard error off, also for C++."""
    sys.stderr.flush()
    before = os.dup(2)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(before, 2)
        os.close(before)


def _rows(outputs: Outputs, images: Sequence[Any]) -> list[dict[str, Any]]:
    """Outputs by image instead of by name."""
    lists = all(isinstance(values, list) for values in outputs.values())
    if not lists or {len(values) for values in outputs.values()} != {len(images)}:
        raise ValueError(f"not a list of {len(images)} values, one an image: {outputs}")
    return [
        dict(zip(outputs, row, strict=True))
        for row in zip(*outputs.values(), strict=True)
    ]


def _describe(path: Path, row: dict[str, Any], top: int) -> str:
    """A line for each of the top classes, or all outputs as JSON."""
    if "scores" not in row:
        whole = {"image": ""} | row | {"image": str(path)}
        return json.dumps(whole, allow_nan=False).replace("\x7f", r"\u007f")
    names = row["classes"] if "classes" in row else row["indices"]
    best = list(zip(names, row["scores"], strict=True))
    for name, score in best:
        if not isinstance(name, str | int) or not 0 <= score <= 1.001:  # rounding
            raise ValueError(f"no class and its score: {name!r}, {score!r}")
    lines = [f"  {score:7.2%}  {_printable(name)}" for name, score in best[:top]]
    return "\n".join([f"{_printable(path)}:", *lines])


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="backslashreplace")  # if its encoding is limited
    sys.exit(main())
