"""A server of a page on this machine alone."""

import errno
from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

HOST = "127.0.0.1"
HEADERS = {
    # Both together let the runtime use threads.
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; "
        "connect-src 'self'; img-src 'self'; style-src 'self'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}
"""Headers of every response, which a server of one's own should send too."""


class PageServer(ThreadingHTTPServer):
    """Serves a folder that `to_web` wrote, on the loopback interface.

    Args:
        folder: The folder.
        port: Port, 0 for any that is free.
        files: More files, by the name after the slash.

    Raises:
        OSError: If the port is taken.

    """

    daemon_threads = True

    def __init__(
        self, folder: Path, port: int = 0, files: Mapping[str, Path] | None = None
    ) -> None:
        handler = partial(_Handler, directory=str(folder))
        try:
            super().__init__((HOST, port), handler)
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
            raise type(error)(
                f"`port` must be free. Received: port={port}, {error.strerror}. Name "
                "another one, or 0 for any."
            ) from error
        self.files = dict(files or {})

    @property
    def address(self) -> str:
        """Address of the page."""
        return f"http://{HOST}:{self.server_port}/"

    @property
    def hosts(self) -> tuple[str, ...]:
        """Values of the header `Host` that are answered."""
        return tuple(f"{name}:{self.server_port}" for name in (HOST, "localhost"))


class _Handler(SimpleHTTPRequestHandler):
    """Answers GET and HEAD with files, never with a list of a folder."""

    server: PageServer  # pyright: ignore[reportIncompatibleVariableOverride]
    extensions_map = {  # noqa: RUF012, which the base class has too
        ".css": "text/css; charset=utf-8",
        ".html": "text/html; charset=utf-8",
        ".js": "text/javascript; charset=utf-8",
        ".json": "application/json",
        ".svg": "image/svg+xml",
        ".wasm": "application/wasm",
        "": "application/octet-stream",
    }

    def send_head(self) -> Any:
        """Refuses other hosts: a page of theirs could read what is served here."""
        if self.headers.get("Host") not in self.server.hosts:
            self.send_error(HTTPStatus.FORBIDDEN, "This host is not served")
            return None
        return super().send_head()

    def translate_path(self, path: str) -> str:
        given = self.server.files.get(urlsplit(path).path.removeprefix("/"))
        return super().translate_path(path) if given is None else str(given)

    def list_directory(self, path: Any) -> None:
        self.send_error(HTTPStatus.NOT_FOUND, "File not found")

    def end_headers(self) -> None:
        for name, value in HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, format: str, *arguments: Any) -> None:
        """Prints nothing: errors are shown in the browser."""
