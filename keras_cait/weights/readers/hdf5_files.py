"""HDF5 files of weights, read without links to other files."""

import contextlib
import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from keras_cait.weights.readers.damaged_files import damage_named
from keras_cait.weights.tensors.stored_tensors import (
    GridSize,
    StoredTensor,
    dtype_name,
)

GRID_SIZE = "grid_size"  # attribute that `layers.PositionEmbedding` writes
_OPTIMIZER = "optimizer"  # group that is not read
# For other filters HDF5 would load plugins of the machine.
_DEFLATE, _SHUFFLE, _CHECKSUM = 1, 2, 3
_SLACK = 2**16  # bytes that a chunk may take beyond its values
_FORMAT = "a complete HDF5 file of weights, as Keras writes it"


@dataclass(frozen=True)
class HDF5Weights:
    """Tensors of an open file, by places such as "layers/dense/vars/0"."""

    tensors: dict[str, StoredTensor]
    grids: dict[str, GridSize]  # stated for position embeddings


@contextlib.contextmanager
def open_hdf5(path: Path, source: Path) -> Iterator[HDF5Weights]:
    """Opens a file that Keras wrote, called `source` in errors; skips the optimizer."""
    with contextlib.ExitStack() as stack:
        with damage_named(source, _FORMAT, Exception):  # h5py has many kinds
            file = stack.enter_context(h5py.File(path, "r"))
            datasets = dict(_datasets(file, "", {file}))
            grids = {name: _grid_of(dataset) for name, dataset in datasets.items()}
            tensors = {
                name: _stored_tensor(name, dataset, source)
                for name, dataset in datasets.items()
            }
        yield HDF5Weights(tensors, {name: x for name, x in grids.items() if x})


def _datasets(
    group: h5py.Group, prefix: str, seen: set[Any]
) -> Iterator[tuple[str, h5py.Dataset]]:
    """Every dataset with its place; refuses links that leave the tree."""
    for name in group:
        place = f"{prefix}{name}"
        if place == _OPTIMIZER:
            continue
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise ValueError(f"in which {place} is a link to another place or file")
        item = group[name]
        if item in seen:
            raise ValueError(f"in which {place} is in two places")
        seen.add(item)
        if isinstance(item, h5py.Group):
            yield from _datasets(item, f"{place}/", seen)
        elif isinstance(item, h5py.Dataset):
            yield place, item


def _grid_of(dataset: h5py.Dataset) -> GridSize | None:
    grid = np.asarray(dataset.parent.attrs.get(GRID_SIZE, ())).ravel()
    return (int(grid[0]), int(grid[1])) if grid.shape == (2,) else None


def _stored_tensor(name: str, dataset: h5py.Dataset, source: Path) -> StoredTensor:
    dtype = dtype_name(dataset.dtype)
    # Keras's mark, since HDF5 has no such type.
    if dataset.attrs.get("dtype") == "bfloat16":
        dtype = "bfloat16"

    def read() -> np.ndarray:
        with damage_named(source, _FORMAT, Exception):
            _check_storage(name, dataset)
            return np.array(dataset, dtype=dtype)

    if dataset.shape is None:
        return StoredTensor((), "empty", read)
    return StoredTensor(dataset.shape, dtype, read)


def _check_storage(name: str, dataset: h5py.Dataset) -> None:
    """Refuses values in another file, missing values, and chunks without an end."""
    if dataset.external or dataset.is_virtual:
        raise ValueError(f"in which the values of {name} are in another file")
    size = dataset.size * dataset.dtype.itemsize  # bytes
    plist = dataset.id.get_create_plist()
    filters = [plist.get_filter(index)[0] for index in range(plist.get_nfilters())]
    if set(filters) - {_DEFLATE, _SHUFFLE, _CHECKSUM}:
        raise ValueError(f"in which {name} is compressed with another filter than gzip")
    if dataset.chunks is None:
        is_complete = dataset.id.get_storage_size() >= size
    else:
        pairs = zip(dataset.shape, dataset.chunks, strict=True)
        chunks = math.prod(math.ceil(side / part) for side, part in pairs)
        is_complete = dataset.id.get_num_chunks() == chunks
        if math.prod(dataset.chunks) * dataset.dtype.itemsize > 2 * size + _SLACK:
            raise ValueError(f"in which the chunks of {name} are larger than itself")
    if not is_complete:
        raise ValueError(f"in which values of {name} are missing")
    if _DEFLATE in filters:
        _check_deflate(name, dataset, filters.index(_DEFLATE))


def _check_deflate(name: str, dataset: h5py.Dataset, position: int) -> None:
    """Refuses a chunk that unpacks to more than its values: HDF5 has no bound."""
    largest = math.prod(dataset.chunks) * dataset.dtype.itemsize + 4  # and a checksum
    for slices in dataset.iter_chunks():
        mask, content = dataset.id.read_direct_chunk(tuple(s.start for s in slices))
        if mask & (1 << position):
            continue  # not compressed
        unpacked = zlib.decompressobj().decompress(content, largest + 1)
        if len(unpacked) > largest:
            raise ValueError(f"in which a chunk of {name} is larger than its values")
