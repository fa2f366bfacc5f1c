"""A local server with the Hugging Face hub's protocol of uploads, and its failures."""

import base64
import hashlib
import json
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import yaml

TOKEN = "hf_test"
OWNER = "owner"  # of the token


class UploadHub(ThreadingHTTPServer):
    """Keeps repositories, {name: {path: bytes}}, that clients create and commit to.

    Requests need `TOKEN`, which may write to "owner/...". Some repositories misbehave:
    "owner/cut-once" loses the connection in the first large file, "owner/cut" in each
    commit, before it is made; "owner/full" has no room for large files.
    """

    def __init__(self, repositories: dict[str, dict[str, bytes]]) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.repositories = repositories
        self.private: set[str] = set()
        self.commits: list[str] = []  # "owner/name: message"
        self.stored: dict[str, bytes] = {}  # large files by SHA-256
        self.cuts: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(_READS)

    def do_HEAD(self) -> None:
        self._answer(_READS)

    def do_POST(self) -> None:
        self._answer(_WRITES)

    def do_PUT(self) -> None:
        self._answer(_WRITES)

    def log_message(self, format: str, *args: object) -> None:
        """Logs nothing."""

    @property
    def hub(self) -> UploadHub:
        assert isinstance(self.server, UploadHub)
        return self.server

    def _answer(self, routes: dict[str, str]) -> None:
        path = self.path.partition("?")[0]
        for pattern, method in routes.items():
            if match := re.fullmatch(pattern, path):
                if self._is_refused(path):
                    return
                getattr(self, method)(*match.groups())
                return
        self._send(404, {"error": f"no {path}"})

    def _is_refused(self, path: str) -> bool:
        """Refuses a request without the token, as the hub does."""
        if path.startswith("/large/") or path == "/api/validate-yaml":
            return False
        if self.headers.get("Authorization") == f"Bearer {TOKEN}":
            return False
        self._body()
        message = "Invalid credentials in Authorization header"
        self._send(401, {"error": message}, **{"X-Error-Message": message})
        return True

    # Reads ---------------------------------------------------------------------------

    def information(self, name: str) -> None:
        files = self.hub.repositories.get(name)
        if files is None:
            self._send(404, {}, **{"X-Error-Code": "RepoNotFound"})
            return
        siblings = [{"rfilename": path} for path in files]
        private = name in self.hub.private
        facts = {"id": name, "sha": _commit(files), "private": private}
        self._send(200, {**facts, "siblings": siblings})

    def tree(self, name: str, revision: str) -> None:
        files = self.hub.repositories[name]
        rows = [
            {"type": "file", "path": path, "size": len(content), "oid": _blob(content)}
            for path, content in files.items()
        ]
        self._send(200, rows)

    def file(self, name: str, revision: str, path: str) -> None:
        files = self.hub.repositories[name]
        etag, commit = _blob(files[path]), _commit(files)
        self._send(200, files[path], **{"ETag": f'"{etag}"', "X-Repo-Commit": commit})

    # Writes --------------------------------------------------------------------------

    def create(self) -> None:
        request = json.loads(self._body())
        name = f"{request['organization']}/{request['name']}"
        if request["organization"] != OWNER:
            message = f"You don't have the rights to create a model under {name}."
            self._send(403, {"error": message}, **{"X-Error-Message": message})
            return
        status = 409 if name in self.hub.repositories else 200
        self.hub.repositories.setdefault(name, {".gitattributes": b"*.h5 lfs\n"})
        private = request.get("visibility") == "private" or request.get("private")
        if status == 200 and private:
            self.hub.private.add(name)
        self._send(status, {"url": f"{self.hub.url}/{name}", "name": name})

    def validate_yaml(self) -> None:
        card = json.loads(self._body())["content"]
        header = re.match(r"---\n(.*?)\n---\n", card, re.DOTALL)
        assert header is not None
        missing = {"library_name", "model-index"} - yaml.safe_load(header[1]).keys()
        if missing:
            self._send(400, {"errors": [{"message": f"no {missing}"}]})
        else:
            self._send(200, {"warnings": []})

    def upload_modes(self, name: str) -> None:
        files = json.loads(self._body())["files"]
        modes = [
            {
                "path": file["path"],
                "uploadMode": "lfs" if file["path"].endswith(".h5") else "regular",
                "shouldIgnore": False,
                "oid": None,
            }
            for file in files
        ]
        self._send(200, {"files": modes})

    def large_files(self, name: str) -> None:
        objects = json.loads(self._body())["objects"]
        actions = [
            {
                **one,
                "actions": {
                    "upload": {"href": f"{self.hub.url}/large/{name}/{one['oid']}"}
                },
            }
            for one in objects
        ]
        self._send(200, {"transfer": "basic", "objects": actions})

    def large_file(self, name: str, oid: str) -> None:
        if name == "owner/cut-once" and name not in self.hub.cuts:
            self.hub.cuts.append(name)
            self.rfile.read(int(self.headers["Content-Length"]) // 2)
            self.close_connection = True
            return
        content = self._body()
        if name == "owner/full" or hashlib.sha256(content).hexdigest() != oid:
            self._send(403, {"error": "no room"})
            return
        self.hub.stored[oid] = content
        self._send(200, {})

    def commit(self, name: str) -> None:
        lines = [json.loads(line) for line in self._body().splitlines()]
        if name == "owner/cut":
            self.close_connection = True
            return
        files: dict[str, Any] = dict(self.hub.repositories[name])
        for line in lines:
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = self.hub.stored[value["oid"]]
        self.hub.repositories[name] = files
        self.hub.commits.append(f"{name}: {lines[0]['value']['summary']}")
        url = f"{self.hub.url}/{name}/commit/{_commit(files)}"
        self._send(200, {"commitUrl": url, "commitOid": _commit(files)})

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        chunks = []
        while size := int(self.rfile.readline(), 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _send(self, status: int, content: Any, **headers: str) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


_NAME = r"([\w.-]+/[\w.-]+)"
_READS = {
    rf"/api/models/{_NAME}(?:/revision/.*)?": "information",
    rf"/api/models/{_NAME}/tree/([^/]+)": "tree",
    rf"/{_NAME}/resolve/([^/]+)/(.+)": "file",
}
_WRITES = {
    "/api/repos/create": "create",
    "/api/validate-yaml": "validate_yaml",
    rf"/api/models/{_NAME}/preupload/main": "upload_modes",
    rf"/{_NAME}\.git/info/lfs/objects/batch": "large_files",
    rf"/large/{_NAME}/(\w+)": "large_file",
    rf"/api/models/{_NAME}/commit/main": "commit",
}


def _blob(content: bytes) -> str:
    """Git's hash of a file."""
    header = f"blob {len(content)}\0".encode()
    return hashlib.sha1(header + content, usedforsecurity=False).hexdigest()


def _commit(files: dict[str, bytes]) -> str:
    """A hash of all files, in place of git's of a commit."""
    digest = hashlib.sha1(usedforsecurity=False)
    for path, content in sorted(files.items()):
        digest.update(path.encode() + content)
    return digest.hexdigest()
