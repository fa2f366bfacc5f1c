"""A malicious server cannot harm terminal, memory or time of the client."""

import json
import random
import subprocess
import sys
import time

import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2

from export.serving import client
from tests.export.serving.test_client_faults import answering, head
from tests.support.export.serving_protocol import content_over_grpc, over_grpc

HARM = "\x1b[2J\x1b]0;title\x07 \r\n\x9b31m \u202egpj.exe \u2028 \x00\x7f"
KNOWN = {0, 3, 4, 5, 6, 8}


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Runs the client on two files; gives its code and what it said, all printable."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")
    monkeypatch.chdir(tmp_path)
    names = ["one.jpg", "two.jpg"]
    for name in names:
        (tmp_path / name).write_bytes(b"image")

    def run(*arguments):
        code = client.main([*arguments, *names])
        said = capsys.readouterr()
        assert bool(said.out) == (code == 0)
        assert said.err.count("\n") == bool(code)
        every = said.out + said.err
        assert [one for one in every if not (one.isprintable() or one == "\n")] == []
        assert len(every) < 10_000
        return code, every

    return run


def with_content(content, status=200, **headers):
    """A server that answers with these bytes."""

    def send(handler):
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    return answering(send)


def labeled(label):
    rows = [{"classes": [label], "indices": [0], "scores": [0.5]}] * 2
    return json.dumps({"predictions": rows}).encode()


@pytest.mark.parametrize("status", [200, 302, 400, 404, 500, 503])
@pytest.mark.parametrize(
    "content",
    [
        labeled(HARM),
        json.dumps({"error": HARM}).encode(),
        json.dumps({"error": f"assertion failed: [{HARM}] [[{{"}).encode(),
        HARM.encode(),
    ],
    ids=["label", "error", "assertion", "text"],
)
def test_text_of_a_server_is_escaped(status, content, run):
    with with_content(content, status) as url:
        code, said = run("--url", url)
    assert code in KNOWN
    if code == 0:
        title, line, *_ = said.splitlines()
        assert title == "one.jpg:"
        assert line.endswith(repr(HARM)[1:-1])


def test_text_of_a_server_is_escaped_over_grpc(run):
    def harmful(images):
        raise tf.errors.InvalidArgumentError(None, None, HARM)

    def labeled(images):
        return {
            "classes": tf.constant([[HARM.encode()]] * 2),
            "scores": tf.constant([[0.5]] * 2),
        }

    for model, expected in [(harmful, 6), (labeled, 0)]:
        with over_grpc({"serving_default": model}) as (target, _):
            code, said = run("--grpc", target)
        assert code == expected
        assert r"\x1b[2J" in said


def test_outputs_as_json_are_escaped(run):
    content = json.dumps({"predictions": [{"a": HARM, "image": "other"}] * 2}).encode()
    with with_content(content) as url:
        code, said = run("--url", url)
    assert code == 0
    first, second = map(json.loads, said.splitlines())
    assert first == {"image": "one.jpg", "a": HARM}
    assert second["image"] == "two.jpg"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status, run):
    asked = []

    def note(handler):
        asked.append(handler.path)
        head(handler, 200, 0)

    with answering(note) as other, with_content(b"", status, Location=other) as url:
        code, said = run("--url", url)
    assert (code, asked) == (8, [])
    assert f"the server failed ({status}): it redirects to {other}" in said


@pytest.mark.parametrize("kind", ["none", "huge", "negative", "chunked", "error"])
def test_an_endless_answer_is_cut(kind, run):
    sent = []

    def send(handler):
        handler.send_response(500 if kind == "error" else 200)
        if kind == "chunked":
            handler.send_header("Transfer-Encoding", "chunked")
        if kind in ("huge", "negative"):
            length = {"huge": 10**30, "negative": -1}[kind]
            handler.send_header("Content-Length", str(length))
        handler.end_headers()
        block = b" " * 2**16
        if kind == "chunked":
            block = b"10000\r\n" + block + b"\r\n"
        try:
            for _ in range(2**12):  # 268 MB, where nobody ends it
                handler.wfile.write(block)
                sent.append(len(block))
        except OSError:
            pass

    with answering(send) as url:
        code, said = run("--url", url, "--max-answer", "2")
        assert (code, "answers with more than 2 MB (--max-answer)" in said) == (8, True)
    assert sum(sent) < 2e6 + 16e6  # and what the system holds between them


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}",
        b"HTTP/1.1 -1 OK\r\n\r\n",
        b"HTTP/1.1 10000 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 1000 + b"\r\n{}",
        b"HTTP/1.1 200 OK\r\na: " + b"b" * 10**6,
        b"\x1b[31m" * 100,
    ],
)
def test_an_answer_that_is_not_http_is_one_line(garbage, run):
    with answering(lambda handler: handler.wfile.write(garbage)) as url:
        code, _ = run("--url", url)
    assert code in {3, 8}


DEEP = 200_000
NUMBERS = '{"outputs": {"indices": [[1], [1]], "scores": [[%s], [0]]}}'


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize(
    "text",
    [
        "[" * DEEP,
        '{"predictions":' * DEEP,
        '{"predictions": [%s, 1]}' % ("[" * 900 + "]" * 900),
        '{"error": ' + "[" * DEEP + "]" * DEEP + "}",
        *(NUMBERS % number for number in ("NaN", "Infinity", "1e999", "-1", "1e300")),
        NUMBERS % ("9" * 4000),
        NUMBERS % ("9" * 5000),
        NUMBERS % '"0.5"',
        NUMBERS % "true, true",
        NUMBERS.replace("[1]", '[["class"]]') % "0.5",
        '{"predictions": "ab"}',
        '{"predictions": {"a": 1, "b": 2}}',
        '{"predictions": [NaN, 1]}',
        '{"outputs": {"classes": "ab", "scores": "cd"}}',
        '{"outputs": {"scores": [[0.5], [0.5]]}}',
        '{"outputs": null}',
        "null",
        '"predictions"',
    ],
    ids=lambda it: it[:40] if isinstance(it, str) else None,
)
def test_malformed_json_is_one_line(status, text, run):
    with with_content(text.encode(), status) as url:
        code, _ = run("--url", url)
    assert code == {200: 8, 400: 6}[status] or "[[[" in text


def test_a_long_error_is_parsed_within_seconds(run):
    """A search for what a model says must not take the square of the length."""
    text = "assertion failed: [" * 500_000
    with with_content(text.encode(), 400) as url:
        started = time.perf_counter()
        assert run("--url", url)[0] == 6
        assert time.perf_counter() - started < 5


def scores(*size, kind="float32", **values):
    """A tensor of any shape and type, with other values than they say."""
    tensor = tf.make_tensor_proto([], tf.float32)
    tensor.dtype = tf.as_dtype(kind).as_datatype_enum
    del tensor.tensor_shape.dim[:]
    for side in size:
        tensor.tensor_shape.dim.add(size=side)
    for name, value in values.items():
        getattr(tensor, name).extend(value)
    return tensor


@pytest.mark.parametrize(
    "tensor",
    [
        scores(2, 10**12, float_val=[0.5]),
        scores(2, 10**6, kind="string", string_val=[b"a" * 10**6]),
        scores(2, 0),
        scores(-2, -1, float_val=[0.5] * 2),
        scores(2, -1, float_val=[0.5] * 2),
        scores(*[2] * 70, float_val=[0.5] * 2),
        scores(2, 1, kind="string", string_val=[b"\xff", b"\xfe"]),
        scores(2, 1, kind="variant"),
        scores(2, 1, kind="resource"),
        scores(2, 1, float_val=[float("nan")] * 2),
        scores(2, 1, float_val=[0.5] * 10**6),
        None,
    ],
    ids=range(12),
)
def test_a_malformed_tensor_is_one_line(tensor, run):
    answer = predict_pb2.PredictResponse()
    answer.outputs["indices"].CopyFrom(tf.make_tensor_proto([[1], [1]]))
    answer.outputs["scores"].CopyFrom(tensor or tf.make_tensor_proto([[0.5], [0.5]]))
    content = answer.SerializeToString() if tensor else b"\xff no message \x1b[31m"
    with content_over_grpc(content) as target:
        code, _ = run("--grpc", target, "--max-answer", "3")
    assert code == 8


def test_random_answers_are_output_or_one_line(run):
    """Hundreds of answers of the protocol with parts replaced, cut or added."""
    draws = random.Random(0)
    row = {"classes": ["a", "b"], "indices": [3, 1], "scores": [0.5, 0.25]}
    whole = [
        {"predictions": [row] * 2},
        {"outputs": {name: [values] * 2 for name, values in row.items()}},
        {"predictions": [[0.5, 0.25]] * 2},
        {"error": "assertion failed: [image 1 cannot be decoded] [[node"},
    ]
    parts = ["null", "[]", "{}", '""', "-1", "1e999", "[[[", "]", ",", '"', HARM, "NaN"]
    answers = []
    for text in map(json.dumps, whole * 60):
        for _ in range(draws.choice([1, 2, 8])):
            place = draws.randrange(len(text) + 1)
            end = place + draws.choice([0, 1, 5, len(text)])
            text = text[:place] + draws.choice(parts) + text[end:]
        answers.append((draws.choice([200, 200, 200, 400, 500]), text.encode()))
    queue = iter(answers)

    def send(handler):
        status, content = next(queue)
        head(handler, status, len(content))
        handler.wfile.write(content)

    with answering(send) as url:
        codes = [run("--url", url)[0] for _ in answers]
    assert {6, 8} <= set(codes) <= {0, 6, 8}


@pytest.mark.slow  # imports TensorFlow, which logs
def test_grpc_logs_nothing_else(tmp_path):
    (tmp_path / "one.jpg").write_bytes(b"image")
    with content_over_grpc(b"\xff no message") as target:
        command = [sys.executable, client.__file__, "--grpc", target, "one.jpg"]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (8, "")
    assert done.stderr.startswith("client.py: the server failed (INTERNAL): ")
    assert done.stderr.count("\n") == 1
