"""Any fault of a server ends the client with one line and an exit code."""

import json
import struct
import time
import zlib
from http.server import BaseHTTPRequestHandler

import pytest
import tensorflow as tf

from export.serving import client
from tests.support.export.serving_protocol import over_grpc, over_rest, serving

IMAGES = ["one.jpg", "two.jpg"]
GOOD = {"indices": [[3, 1], [1, 3]], "scores": [[0.5, 0.25], [0.75, 0.1]]}


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Runs the client on two files; gives its code and the one line of the error."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")
    monkeypatch.chdir(tmp_path)
    for name in IMAGES:
        (tmp_path / name).write_bytes(b"image")

    def run(*arguments):
        code = client.main([*arguments, *IMAGES])
        said = capsys.readouterr()
        assert (said.out, said.err.count("\n")) == ("", 1)
        return code, said.err

    return run


def answering(send):
    """A server that reads a request and lets `send` answer it."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            send(self)

        def log_message(self, format, *args): ...

    return serving(Handler)


def head(handler, status, length):
    handler.send_response(status)
    handler.send_header("Content-Length", str(length))
    handler.end_headers()


@pytest.mark.parametrize(
    "answer",
    [
        {"predictions": [{"indices": [3], "scores": [0.5]}]},
        {"predictions": [{"indices": [3], "scores": [0.5]}] * 3},
        {"predictions": [{"scores": [0.5]}] * 2},
        {"predictions": [{"indices": [3], "scores": [0.5, 0.25]}] * 2},
        {"predictions": [{"indices": [3], "scores": ["high"]}] * 2},
        {"predictions": [{"indices": 3, "scores": 0.5}] * 2},
        {"predictions": 3},
        {"outputs": 3},
        {"outputs": {}},
        {"outputs": {**GOOD, "scores": [[0.5, 0.25]]}},
        {"outputs": {**GOOD, "scores": 3}},
    ],
    ids=json.dumps,
)
def test_an_answer_that_does_not_fit_is_an_error(answer, run):
    def send(handler):
        content = json.dumps(answer).encode()
        head(handler, 200, len(content))
        handler.wfile.write(content)

    with answering(send) as url:
        code, error = run("--url", url)
    assert code == 8
    assert f"{url} does not talk as TensorFlow Serving does: " in error


@pytest.mark.parametrize(
    "columns",
    [{"scores": 0.5}, {"scores": [0.5, 0.25]}, {"scores": [[0.5]] * 2}, {"a": [[1]]}],
    ids=json.dumps,
)
def test_an_answer_over_grpc_that_does_not_fit_is_an_error(columns, run):
    def model(images):
        return {name: tf.constant(values) for name, values in columns.items()}

    with over_grpc({"serving_default": model}) as (target, _):
        code, error = run("--grpc", target)
    assert code == 8
    assert f"{target} does not talk as TensorFlow Serving does: " in error


@pytest.mark.parametrize(("status", "code"), [(400, 6), (404, 5), (503, 3), (500, 8)])
def test_a_truncated_error_keeps_its_code(status, code, run):
    def send(handler):
        head(handler, status, 1000)
        handler.wfile.write(b'{"error": "something')

    with answering(send) as url:
        found, error = run("--url", url)
    assert found == code
    assert '{"error": "something' in error


@pytest.mark.parametrize("status", [200, 400])
def test_an_answer_that_stalls_is_a_timeout(status, run):
    def send(handler):
        head(handler, status, 1000)
        handler.wfile.write(b"{")
        handler.wfile.flush()
        time.sleep(0.6)

    with answering(send) as url:
        assert run("--url", url, "--timeout", "0.2") == (
            *(4, "client.py: no answer within 0.2 s\n"),
        )


def test_the_timeout_bounds_the_sum_of_slow_parts(run):
    """Each of its bytes comes in time."""

    def send(handler):
        head(handler, 200, 40)
        for _ in range(20):
            handler.wfile.write(b" ")
            handler.wfile.flush()
            time.sleep(0.1)

    with answering(send) as url:
        started = time.perf_counter()
        code, _ = run("--url", url, "--timeout", "0.3")
        assert code == 4
        assert time.perf_counter() - started < 1.5


@pytest.mark.parametrize("protocol", ["rest", "grpc"])
@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (tf.errors.InvalidArgumentError, 6, "the server refused the request: why"),
        (tf.errors.FailedPreconditionError, 6, "the server refused the request: why"),
        (tf.errors.OutOfRangeError, 6, "the server refused the request: why"),
        (tf.errors.ResourceExhaustedError, 3, "the server takes no requests now: why"),
        (tf.errors.UnavailableError, 3, "why"),
        (tf.errors.DeadlineExceededError, 4, "no answer within"),
        (tf.errors.InternalError, 8, "the server failed"),
    ],
)
def test_both_protocols_give_the_same_exit_code(protocol, error, code, said, run):
    def model(images):
        raise error(None, None, "why")

    if protocol == "rest":
        with over_rest({"serving_default": model}) as url:
            found, line = run("--url", url)
    else:
        with over_grpc({"serving_default": model}) as (target, _):
            found, line = run("--grpc", target)
    assert found == code
    assert said in line


def bomb(side):
    """A PNG of a few bytes whose header says that it is huge."""

    def chunk(name, data):
        body = name + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    size = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = chunk(b"IHDR", size) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


@pytest.mark.parametrize("side", [10_000, 100_000])  # Pillow warns, and refuses
def test_a_decompression_bomb_is_named(side, run, tmp_path):
    (tmp_path / IMAGES[0]).write_bytes(bomb(side))
    code, error = run("--signature", "features")
    assert code == 7
    assert error.startswith(f"client.py: cannot read {IMAGES[0]}: Image size (")
