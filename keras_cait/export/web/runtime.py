"""onnxruntime-web, which runs the model in a browser: from a folder, cache or npm."""

import importlib.resources
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from keras_cait.errors import first_line
from keras_cait.files import replace_when_written

PACKAGE = "onnxruntime-web"
WASM = "ort-wasm-simd-threaded.wasm"
FILES = {"ort.js": "ort.wasm.bundle.min.mjs", WASM: WASM}
"""Files of the page, and their names in the package.

The script has the part that starts threads in it. It gets a suffix that every server
knows as JavaScript; the binary is found by its own name.
"""

_NPM = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1")


def runtime_files(folder: Path | None = None) -> dict[str, Path]:
    """Paths of the runtime's files, by their names in the page.

    Those in `folder`, a copy of the package; by default those of the version that
    `package-lock.json` pins, from the cache or installed by npm, which compares the
    lock's checksums.

    Raises:
        ValueError: If the folder does not hold the package's files.
        OSError: If npm is not installed, or cannot install the package.

    """
    if folder is not None:
        return _found_in(folder)
    cached = cache_folder() / f"{PACKAGE}-{pinned_version()}"
    if not all((cached / name).is_file() for name in FILES.values()):
        _install(cached)
    return _found_in(cached)


def pinned_version() -> str:
    """The version of the package in `package-lock.json`."""
    lock = json.loads(_resource("package-lock.json"))
    return lock["packages"][f"node_modules/{PACKAGE}"]["version"]


def cache_folder() -> Path:
    """`keras_cait` in the user's cache folder, `XDG_CACHE_HOME` or `~/.cache`."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "keras_cait"


def _found_in(folder: Path) -> dict[str, Path]:
    for place in (folder, folder / "dist"):
        found = {name: place / original for name, original in FILES.items()}
        if all(path.is_file() for path in found.values()):
            return found
    raise ValueError(
        f"`runtime` must be a copy of the npm package {PACKAGE}, with "
        f"{' and '.join(FILES.values())} in it or in its folder dist. Received: "
        f"{folder}"
    )


def _install(target: Path) -> None:
    """Installs the package with npm, and keeps its files in a new folder."""
    npm = shutil.which("npm")
    advice = (
        f"or pass `runtime`, a folder with a copy of the npm package {PACKAGE} "
        f"{pinned_version()}."
    )
    if npm is None:
        raise FileNotFoundError(
            "The page's runtime is installed by npm, which is not on the PATH. Install "
            f"Node.js, {advice}"
        )
    with tempfile.TemporaryDirectory() as name:
        project = Path(name)
        for file in ("package.json", "package-lock.json"):
            (project / file).write_bytes(_resource(file))
        done = subprocess.run(
            [npm, *_NPM], cwd=project, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise OSError(
                f"npm cannot install {PACKAGE} {pinned_version()}: "
                f"{first_line(done.stderr)} Try again with a network, {advice}"
            )
        files = _found_in(project / "node_modules" / PACKAGE)
        with replace_when_written(target) as folder:
            folder.mkdir()
            for path in files.values():
                shutil.copy(path, folder)


def _resource(name: str) -> bytes:
    return (importlib.resources.files("keras_cait.export.web") / name).read_bytes()
