"""The client follows the protocol, and ends with an error of one line."""

import json
import re
import shutil
import socket
import subprocess
import sys
from base64 import b64decode
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from export.serving import client
from keras_cait.data.images.decoding import decode
from tests.support.data.photographs import encoded, photograph
from tests.support.export.serving_protocol import over_grpc, over_rest, serving

SHAPES = json.loads(
    (Path(__file__).parents[2] / "support" / "export" / "rest_shapes.json").read_text()
)
SLOW = 1.0  # seconds that a slow server takes


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Two pictures on disk, and a text."""
    folder = tmp_path_factory.mktemp("images")
    (folder / "temple.jpg").write_bytes(encoded(photograph(61, 83)))
    (folder / "flower.png").write_bytes(
        encoded(photograph(90, 40, "flower.jpg"), "PNG")
    )
    (folder / "text.jpg").write_text("not an image")
    return folder


@pytest.fixture(scope="module")
def rest(served):
    with over_rest(served.signatures) as url:
        yield ["--url", url]


@pytest.fixture(scope="module")
def rpc(served):
    with over_grpc(served.signatures) as (target, service):
        yield ["--grpc", target], service


@pytest.fixture(params=["rest", "grpc"])
def where(request, rest, rpc):
    """The arguments that say where the server is: both kinds of it."""
    return rest if request.param == "rest" else rpc[0]


@pytest.fixture
def run(capsys):
    """Runs the client; gives its code, what it said, and the error, a line at most."""

    def run(*arguments):
        code = client.main([str(one) for one in arguments])
        said = capsys.readouterr()
        assert said.err.count("\n") == bool(code)
        assert bool(said.out) != bool(code)
        return code, said.out, said.err

    return run


def test_the_client_prints_the_top_classes(where, run, served, images):
    files = [images / "temple.jpg", images / "flower.png"]
    expected = served.top_classes(*(file.read_bytes() for file in files))
    code, said, _ = run(*where, "--top", 3, *files)
    assert code == 0
    lines = said.splitlines()
    assert len(lines) == 8
    for number, file in enumerate(files):
        title, *rows = lines[4 * number : 4 * number + 4]
        assert title == f"{file}:"
        for place, row in enumerate(rows):
            percent, name = row.split(maxsplit=1)
            assert name == expected["classes"][number, place].decode()
            score = 100 * expected["scores"][number, place]
            assert float(percent.rstrip("%")) == pytest.approx(score, abs=0.006)


@pytest.mark.parametrize("signature", ["probabilities", "features", "heads"])
def test_the_client_prints_json_for_other_signatures(
    where, signature, run, served, images
):
    files = [images / "temple.jpg", images / "flower.png"]
    _, said, _ = run(*where, "--signature", signature, *files)
    for file, line in zip(files, said.splitlines(), strict=True):
        found = json.loads(line)
        assert found.pop("image") == str(file)
        pixels = decode(tf.constant(file.read_bytes()))  # equal to Pillow's
        expected = served.outputs(signature, pixels.numpy()[None])
        if len(expected) == 1 and "outputs" in found:  # REST leaves out a lone name
            found[signature] = found.pop("outputs")
        assert found.keys() == expected.keys()
        for name, rows in expected.items():
            np.testing.assert_allclose(found[name], rows[0], rtol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--model", "half"], 5, r"no model 'half': .*Latest\(half\)"),
        (["--version", 9], 5, r"no model 'keras_cait', version 9: "),
        (["--signature", "other"], 6, 'refused the request: .*"other" not found'),
    ],
)
def test_a_missing_model_version_or_signature_is_an_error(
    where, arguments, code, said, run, images
):
    found, _, error = run(*where, *arguments, images / "temple.jpg")
    assert found == code
    assert re.match(f"client.py: the server .*{said}", error), error


def test_an_image_that_cannot_be_decoded_is_named(where, run, images):
    files = [images / "temple.jpg", images / "text.jpg"]
    code, _, error = run(*where, *files)
    assert code == 6
    expected = "client.py: the server refused the request: image 1 of the batch cannot"
    assert error.startswith(expected)
    assert error.endswith("Received: 12 bytes, of an unknown file type\n")
    assert run(*where, files[0])[0] == 0  # the server goes on


@pytest.mark.parametrize("signature", ["serving_default", "features"])
@pytest.mark.parametrize("name", ["missing.jpg", "."])
def test_an_image_that_cannot_be_read_is_named(signature, name, run, images):
    code, _, error = run("--signature", signature, images / name)
    assert code == 7
    assert f"cannot read {images / name}: " in error


def test_a_file_that_pillow_cannot_read_is_named(run, images):
    code, _, error = run("--signature", "features", images / "text.jpg")
    assert (code, "cannot read" in error) == (7, True)


@pytest.mark.parametrize("kind", ["--url", "--grpc"])
def test_a_server_that_is_down_is_an_error(kind, run, images):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}" if kind == "--url" else f"127.0.0.1:{port}"
    code, _, error = run(kind, address, "--timeout", 5, images / "temple.jpg")
    assert code == 3
    assert error.startswith(f"client.py: cannot reach {address}: ")


@pytest.mark.parametrize("kind", [over_rest, over_grpc])
def test_no_answer_within_the_timeout_is_an_error(kind, run, served, images):
    with kind(served.signatures, delay=SLOW) as server:
        where = ["--url", server] if kind is over_rest else ["--grpc", server[0]]
        code, _, error = run(*where, "--timeout", 0.2, images / "temple.jpg")
    assert (code, error) == (4, "client.py: no answer within 0.2 s\n")


@pytest.mark.parametrize("exchange", SHAPES["exchanges"], ids=lambda it: it["case"])
def test_rest_requests_have_the_documented_shapes(exchange, run, tmp_path):
    asked = []

    class Recorded(BaseHTTPRequestHandler):
        def do_POST(self):
            length = int(self.headers["Content-Length"])
            asked.append((self.path, json.loads(self.rfile.read(length))))
            self.send_response(exchange["status"])
            self.end_headers()
            self.wfile.write(json.dumps(exchange["response"]).encode())

        def log_message(self, format, *args): ...

    image = tmp_path / "image.jpg"
    image.write_bytes(b64decode(SHAPES["image"]))
    with serving(Recorded) as url:
        code, said, error = run("--url", url, *exchange["arguments"], image)
    assert asked == [(exchange["path"], exchange["request"])]
    assert code == exchange["code"]
    for line in exchange["said"]:
        assert line in said + error


@pytest.mark.parametrize("body", [b"<html>", b"{}", b'{"predictions": []}', b"[]"])
def test_an_answer_of_another_server_is_an_error(body, run, images):
    class Other(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format, *args): ...

    with serving(Other) as url:
        code, _, error = run("--url", url, images / "temple.jpg")
    assert code == 8
    assert f"{url} does not talk as TensorFlow Serving does" in error


def test_grpc_requests_have_the_fields_of_their_messages(rpc, run, images):
    where, service = rpc
    run(*where, "--version", 1, images / "temple.jpg")
    request = service.requests[-1]
    assert request.model_spec.name == "keras_cait"
    assert request.model_spec.version.value == 1
    assert request.model_spec.signature_name == "serving_default"
    assert list(request.inputs) == ["images"]
    files = tf.make_ndarray(request.inputs["images"])
    assert files.tolist() == [(images / "temple.jpg").read_bytes()]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--top", "0"],
        ["--timeout", "-1"],
        ["--timeout", "nan"],
        ["--url", "host:1"],
        [],
    ],
)
def test_wrong_arguments_are_refused(arguments, capsys):
    image = ["image.jpg"] if arguments else []
    with pytest.raises(SystemExit) as ended:
        client.main([*arguments, *image])
    assert ended.value.code == 2
    assert "error: " in capsys.readouterr().err


def started(*arguments, folder):
    """The client, started from a copy in a folder, without any packages."""
    for file in Path(client.__file__).parent.glob("client*.py"):
        shutil.copy(file, folder)
    command = [sys.executable, "-S", folder / "client.py", *arguments]
    return subprocess.run(command, capture_output=True, text=True)


def test_rest_needs_only_python(rest, images, tmp_path):
    done = started(*rest, images / "temple.jpg", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 6


def test_a_missing_package_is_named(images, tmp_path):
    where = ["--grpc", "127.0.0.1:1"]
    done = started(*where, images / "temple.jpg", folder=tmp_path)
    assert done.returncode == 9
    assert done.stderr.endswith("Install it: pip install grpcio\n")
    assert done.stderr.count("\n") == 1
