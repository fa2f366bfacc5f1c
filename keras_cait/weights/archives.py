"""`.keras` archives, of which a bounded amount is unpacked and nothing is built."""

import json
import shutil
import zipfile
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from keras_cait.weights.position_embedding import GridSize

_WEIGHTS = "model.weights.h5"
_CONFIG = "config.json"
_LARGEST_CONFIG = 2**23  # bytes
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_BLOCK = 2**20  # bytes in memory at a time


def extract_weights(path: Path, target: Path, *, largest: int) -> GridSize | None:
    """Writes the weights of an archive to a file of their own.

    Args:
        path: The `.keras` file.
        target: Where to write.
        largest: Bytes that the weights may take.

    Returns:
        Rows and columns of patches of the model, if its configuration says so.

    Raises:
        ValueError: If it is no complete `.keras` file, or its content is larger.

    """
    try:
        with zipfile.ZipFile(path) as archive:
            member = _member(archive, _WEIGHTS, largest)
            with archive.open(member) as content, target.open("wb") as file:
                shutil.copyfileobj(content, file, _BLOCK)
            return _grid_of(archive)
    except (
        zipfile.BadZipFile,
        zlib.error,
        KeyError,
        EOFError,
        NotImplementedError,
        RuntimeError,
        ValueError,
    ) as error:
        reason = str(error).strip("'\"") or type(error).__name__
        raise ValueError(
            f"Expected a complete .keras file. Received: {path}, {reason}"
        ) from error


def _member(archive: zipfile.ZipFile, name: str, largest: int) -> zipfile.ZipInfo:
    """The only member of that name, which may be unpacked without harm."""
    found = [info for info in archive.infolist() if info.filename == name]
    if len(found) != 1:
        raise ValueError(f"which holds {len(found)} files named {name}")
    (info,) = found
    if info.compress_type not in _METHODS:
        raise ValueError(f"in which {name} is compressed in a way Keras does not use")
    if info.file_size > largest:
        raise ValueError(
            f"in which {name} takes {info.file_size:,} bytes unpacked. The model needs "
            f"{largest:,} at most"
        )
    return info


def saved_layers(path: Path, *class_names: str) -> list[tuple[str, dict[str, Any]]]:
    """Class name and settings of the layers of these classes in a saved model.

    Args:
        path: The `.keras` file.
        *class_names: Such as "PositionEmbedding".

    Returns:
        Nothing where the file is not a `.keras` file, or its configuration cannot be
        read: loading the weights says so, or needs them alone.

    """
    try:
        with zipfile.ZipFile(path) as archive:
            return list(_layers(_config_of(archive), class_names))
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
    ):
        return []


def _config_of(archive: zipfile.ZipFile) -> Any:
    """The model's configuration; None where there is none to read."""
    if _CONFIG not in archive.namelist():
        return None
    try:
        return json.loads(archive.read(_member(archive, _CONFIG, _LARGEST_CONFIG)))
    except (ValueError, RecursionError):  # the weights are all that is needed
        return None


def _grid_of(archive: zipfile.ZipFile) -> GridSize | None:
    """The grid of the position embedding, or of all, in the model's configuration."""
    grids = set()
    for _, settings in _layers(_config_of(archive), ("PositionEmbedding",)):
        grid = settings.get("grid_size")
        if isinstance(grid, list) and len(grid) == 2:
            grids.add((int(grid[0]), int(grid[1])))
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
