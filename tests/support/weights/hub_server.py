"""A local server with the protocol of the Hugging Face hub, and its failures."""

import contextlib
import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TypeVar

COMMIT = "0123456789" * 4
FAILURES = {
    # repository: status and the hub's error code
    "owner/no-repository": (404, "RepoNotFound"),
    "owner/no-file": (404, "EntryNotFound"),
    "owner/private": (401, "RepoNotFound"),
    "owner/gated": (403, "GatedRepo"),
    "owner/bad-token": (401, ""),
}


Server = TypeVar("Server", bound=ThreadingHTTPServer)


class Hub(ThreadingHTTPServer):
    """Serves `files`, {repository: bytes}; some repositories misbehave by name.

    The bytes are those of model.safetensors; the names of other files include the
    repository, as in "somebody/birds/config.json".

    "owner/cut" loses the connection halfway each time, "owner/cut-once" the first
    time; "owner/wrong-hash" sends other content than its ETag.
    """

    def __init__(self, files: dict[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.files = files
        self.requests: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@contextlib.contextmanager
def serving(hub: Server) -> Iterator[Server]:
    """Runs a server for the time of the block."""
    thread = threading.Thread(target=hub.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.shutdown()
        hub.server_close()
        thread.join()


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def log_message(self, format: str, *args: object) -> None:
        """Logs nothing."""

    @property
    def hub(self) -> Hub:
        assert isinstance(self.server, Hub)
        return self.server

    def _answer(self, *, with_body: bool) -> None:
        parts = self.path.strip("/").split("/")
        storage = parts[0] == "storage"
        repository = "/".join(parts[1:3] if storage else parts[:2])
        self.hub.requests.append(f"{self.command} {repository}")
        content = self.hub.files.get(repository, b"")
        if repository in FAILURES or not content:
            self._fail(*FAILURES.get(repository, (404, "RepoNotFound")))
            return
        if parts[-1] != "model.safetensors":
            self._answer_small(f"{repository}/{parts[-1]}", with_body=with_body)
            return
        etag = hashlib.sha256(content).hexdigest()
        if repository == "owner/wrong-hash":
            content = content[:-1] + b"?"
        if not storage:
            # The hub's response for large files: their hash, size and location.
            self.send_response(302)
            self.send_header("X-Linked-Etag", f'"{etag}"')
            self.send_header("X-Linked-Size", str(len(content)))
            self.send_header("Location", f"/storage{self.path}")
            self._end(b"")
            return
        start = int(self.headers.get("Range", "bytes=0-")[6:].split("-")[0])
        self.send_response(206 if start else 200)
        self.send_header("ETag", f'"{etag}"')
        if start:
            last = len(content) - 1
            self.send_header("Content-Range", f"bytes {start}-{last}/{len(content)}")
        body = content[start:]
        first = self.hub.requests.count(f"GET {repository}") == 1
        cut = repository == "owner/cut" or (repository == "owner/cut-once" and first)
        self._end(body, with_body=with_body, cut=cut)

    def _answer_small(self, name: str, *, with_body: bool) -> None:
        """Sends a small file as the hub does: at once, with git's hash."""
        content = self.hub.files.get(name)
        if content is None:
            self._fail(404, "EntryNotFound")
            return
        header = f"blob {len(content)}\0".encode()
        self.send_response(200)
        etag = hashlib.sha1(header + content, usedforsecurity=False).hexdigest()
        self.send_header("ETag", f'"{etag}"')
        self._end(content, with_body=with_body)

    def _fail(self, status: int, code: str) -> None:
        self.send_response(status)
        if code:
            self.send_header("X-Error-Code", code)
        self._end(b"")

    def _end(self, body: bytes, *, with_body: bool = True, cut: bool = False) -> None:
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body:
            self.wfile.write(body[: len(body) // 2] if cut else body)
        if cut and with_body:
            self.wfile.flush()
            self.close_connection = True
