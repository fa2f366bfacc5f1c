"""The server of the demonstration: files with their types, on this machine alone."""

import contextlib
import http.client
import socket
import threading

import pytest

from keras_cait.cli.demonstration.server import HEADERS, PageServer
from tests.support.export.page_scripts import PAGE


@contextlib.contextmanager
def served(folder, **options):
    with PageServer(folder, **options) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()


@pytest.fixture
def folder(tmp_path):
    """A folder of a page, and a file beside it that must not be served."""
    (tmp_path / "site" / "runtime").mkdir(parents=True)
    for name in ("index.html", "a.css", "a.js", "model.onnx", "model.json", "icon.svg"):
        (tmp_path / "site" / name).write_text(f"this is {name}")
    (tmp_path / "site" / "runtime" / "a.wasm").write_bytes(b"\0asm")
    (tmp_path / "secret").write_text("secret")
    return tmp_path / "site"


def get(server, path, method="GET", **headers):
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    with contextlib.closing(connection):
        connection.request(method, path, headers=headers)
        response = connection.getresponse()
        return response, response.read()


@pytest.mark.parametrize(
    ("path", "type"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/a.css", "text/css; charset=utf-8"),
        ("/a.js", "text/javascript; charset=utf-8"),
        ("/icon.svg", "image/svg+xml"),
        ("/model.json?0123456789abcdef", "application/json"),
        ("/model.onnx?0123456789abcdef", "application/octet-stream"),
        ("/runtime/a.wasm", "application/wasm"),
    ],
)
def test_files_have_their_types_and_the_headers(path, type, folder):
    with served(folder) as server:
        response, body = get(server, path)
    assert response.status == 200
    assert body
    assert response.headers["Content-Type"] == type
    assert {name: response.headers[name] for name in HEADERS} == HEADERS


@pytest.mark.parametrize(
    "path", ["/none", "/runtime/", "/../secret", "/%2e%2e/secret", "//etc/passwd"]
)
def test_nothing_else_is_served(path, folder):
    with served(folder) as server:
        response, body = get(server, path)
    assert response.status == 404
    assert b"secret" not in body
    assert b"a.wasm" not in body


def test_one_more_file_is_served_under_its_name(folder):
    files = {"given": folder.parent / "secret"}
    with served(folder, files=files) as server:
        assert get(server, "/given")[1] == b"secret"
        assert get(server, "/other")[0].status == 404


@pytest.mark.parametrize("host", ["example.com", "example.com:80", ""])
def test_pages_of_other_hosts_cannot_read_it(host, folder):
    with served(folder) as server:
        assert get(server, "/", Host=host)[0].status == 403
        assert get(server, "/", Host=f"localhost:{server.server_port}")[0].status == 200


def test_writes_are_refused(folder):
    with served(folder) as server:
        assert get(server, "/", method="POST")[0].status == 501


def test_listens_on_loopback_alone(folder):
    with served(folder) as server:
        assert server.server_address[0] == "127.0.0.1"
        assert server.address == f"http://127.0.0.1:{server.server_port}/"


def test_a_taken_port_is_reported(folder):
    with (
        contextlib.closing(socket.create_server(("127.0.0.1", 0))) as taken,
        pytest.raises(OSError, match="`port` must be free"),
    ):
        PageServer(folder, taken.getsockname()[1])


def test_the_page_has_the_policy_of_the_headers():
    policy = HEADERS["Content-Security-Policy"]
    # A page cannot say by itself who may frame it.
    own = policy.removesuffix("; frame-ancestors 'none'")
    assert own in (PAGE / "index.html").read_text()
