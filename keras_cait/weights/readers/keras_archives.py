"""`.keras` archives, unpacked up to a limit; no layer is built."""

import contextlib
import json
import shutil
import zipfile
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from keras_cait.weights.readers.damaged_files import damage_named
from keras_cait.weights.tensors.stored_tensors import GridSize

_WEIGHTS = "model.weights.h5"
_CONFIG = "config.json"
_LARGEST_CONFIG = 2**23  # bytes
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_EXPANSION, _SLACK = 20, 2**26  # of an archive that was compressed afterwards
_BLOCK = 2**20  # bytes in memory at a time


def extract_weights(path: Path, target: Path, *, largest: int) -> GridSize | None:
    """Writes the weights of an archive, of `largest` bytes at most, to another file.

    Returns the grid of patches that the configuration of the model states.
    """
    with _opened(path) as archive:
        members = _members(archive)
        if _WEIGHTS not in members:
            raise ValueError(f"which holds no {_WEIGHTS}")
        _check_size(members[_WEIGHTS], largest)
        with archive.open(members[_WEIGHTS]) as content, target.open("wb") as file:
            shutil.copyfileobj(content, file, _BLOCK)
        return _grid_of(archive)


def check_archive(path: Path) -> None:
    """Raises `ValueError` unless an archive unpacks to about its own size.

    Keras writes archives without compression, and reads them into memory whole.
    """
    with _opened(path) as archive:
        for member in _members(archive).values():
            _check_size(member, _EXPANSION * member.compress_size + _SLACK)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """Opens an archive, and names it in errors about its content."""
    errors = (zipfile.BadZipFile, zlib.error, LookupError, EOFError, RuntimeError)
    with (
        damage_named(
            path, "a complete .keras file", *errors, ValueError, ArithmeticError
        ),
        zipfile.ZipFile(path) as archive,
    ):
        yield archive


def _members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The files in an archive by name; refuses double names and other compressions."""
    members: dict[str, zipfile.ZipInfo] = {}
    for info in archive.infolist():
        if info.filename in members:
            raise ValueError(f"which holds two files named {info.filename}")
        if info.compress_type not in _METHODS:
            raise ValueError(f"in which {info.filename} is compressed, and not as zip")
        members[info.filename] = info
    return members


def _check_size(member: zipfile.ZipInfo, largest: int) -> None:
    if member.file_size > largest:
        raise ValueError(
            f"in which {member.filename} takes {member.file_size:,} bytes unpacked, "
            f"more than the {largest:,} that may belong to the model"
        )


def saved_layer_configs(
    path: Path, *class_names: str
) -> list[tuple[str, dict[str, Any]]]:
    """Class name and configuration of a saved model's layers of these classes.

    Empty if the file or its configuration cannot be read: loading raises an error, or
    reads the weights alone.
    """
    try:
        with _opened(path) as archive:
            return list(_layers(_config_of(archive), class_names))
    except ValueError:
        return []


def _config_of(archive: zipfile.ZipFile) -> Any:
    """The model's configuration; None if it cannot be read."""
    member = _members(archive).get(_CONFIG)
    if member is None or member.file_size > _LARGEST_CONFIG:
        return None
    content = archive.read(member)
    try:
        return json.loads(content)
    except (ValueError, RecursionError):  # the weights can be read without it
        return None


def _grid_of(archive: zipfile.ZipFile) -> GridSize | None:
    """The grid of patches of the model's position embeddings, if all have the same."""
    grids = set()
    for _, settings in _layers(_config_of(archive), ("PositionEmbedding",)):
        grid = settings.get("grid_size")
        if isinstance(grid, list) and [type(side) for side in grid] == [int, int]:
            grids.add((grid[0], grid[1]))
    return grids.pop() if len(grids) == 1 else None


def _layers(
    config: Any, class_names: Collection[str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The layers in a configuration, models inside models too."""
    waiting = [config]
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting.extend(part)
        elif isinstance(part, dict):
            waiting.extend(part.values())
            name, settings = part.get("class_name"), part.get("config")
            if name in class_names and isinstance(settings, dict):
                yield str(name), settings
