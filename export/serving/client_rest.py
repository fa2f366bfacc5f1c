"""`Predict` over TensorFlow Serving's REST, for client.py beside it."""

import base64
import http.client
import json
import threading
import urllib.parse
import urllib.request
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

Outputs = dict[str, list[Any]]


def predict(
    target: str,
    images: Sequence[Any],
    *,
    model: str,
    version: int | None,
    signature: str,
    timeout: float,
    largest: int,
) -> tuple[int | str, str, Outputs]:
    """Sends `POST .../v1/models/MODEL[/versions/VERSION]:predict`, and waits.

    `target` is "http://host:port"; `images` are files, or arrays of one shape; a
    `version` of None means the newest; `timeout` is in seconds, `largest` in bytes.
    Returns HTTP's status, or "TOO_LARGE"; the server's error message; and the outputs:
    a name to its value for each image. Raises `TimeoutError` if the answer is not
    complete in time, `OSError` if the server cannot be reached, and
    `http.client.HTTPException`, `LookupError`, `RecursionError`, `TypeError` or
    `ValueError` if the answer is not one of TensorFlow Serving.
    """
    of_version = "" if version is None else f"/versions/{version}"
    name = urllib.parse.quote(model, safe="")
    address = f"{target}/v1/models/{name}{of_version}:predict"
    body: dict[str, Any] = {"signature_name": signature}
    if isinstance(images[0], bytes):
        body["instances"] = [{"b64": base64.b64encode(one).decode()} for one in images]
    else:
        body["inputs"] = {"images": [one.tolist() for one in images]}
    request = urllib.request.Request(
        address, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    try:
        status, content = _within(timeout, lambda: _sent(request, timeout, largest))
    except OSError as error:  # of urllib, with the cause inside
        reason = getattr(error, "reason", error)
        raise reason if isinstance(reason, OSError) else OSError(reason) from error
    if len(content) > largest:
        return "TOO_LARGE", "", {}
    if status != http.HTTPStatus.OK:
        return status, _error(status, content), {}
    return status, "", _outputs(json.loads(content))


class _AnyStatus(urllib.request.HTTPErrorProcessor):
    """Returns an answer of any status without an error or a redirect."""

    def http_response(self, request: Any, response: Any) -> Any:
        return response

    https_response = http_response


def _sent(
    request: urllib.request.Request, timeout: float, largest: int
) -> tuple[int, bytes]:
    """The status and the body, cut off one byte after `largest`."""
    opener = urllib.request.build_opener(_AnyStatus)
    with opener.open(request, timeout=timeout) as response:
        location = response.headers.get("Location")
        if location is not None and 300 <= response.status < 400:
            return response.status, f"it redirects to {location}".encode()
        try:
            return response.status, response.read(largest + 1)
        except http.client.IncompleteRead as cut:
            return response.status, cut.partial


def _within(seconds: float, work: Callable[[], Any]) -> Any:
    """Runs work with a timeout; that of a socket bounds each step, not their sum."""
    done: Future[Any] = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except Exception as error:  # noqa: BLE001  (raised by `result` below)
            done.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return done.result(timeout=seconds)


def _outputs(answer: dict[str, Any]) -> Outputs:
    """Outputs of both forms of an answer; a single output comes without its name."""
    if "predictions" in answer:
        rows = answer["predictions"]
        if not isinstance(rows[0], dict):
            return {"outputs": rows}
        return {name: [row[name] for row in rows] for name in rows[0]}
    outputs = answer["outputs"]
    return outputs if isinstance(outputs, dict) else {"outputs": outputs}


def _error(status: int, content: bytes) -> str:
    body = content.decode(errors="replace")
    try:
        return str(json.loads(body)["error"])
    except (LookupError, RecursionError, TypeError, ValueError):
        return body or http.client.responses.get(status, "")
