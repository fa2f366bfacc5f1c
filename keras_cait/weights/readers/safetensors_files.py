"""Safetensors files, read with their own library, one tensor at a time."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from keras_cait.weights.readers.damaged_files import damage_named
from keras_cait.weights.tensors.stored_tensors import StoredTensor

_FORMAT = "a complete safetensors file"
_ERRORS = (SafetensorError, OSError, TypeError, ValueError, MemoryError)
_DTYPES = {"F16": "float16", "BF16": "bfloat16", "F32": "float32", "F64": "float64"}


@contextlib.contextmanager
def open_safetensors(
    path: Path,
) -> Iterator[tuple[dict[str, StoredTensor], dict[str, str]]]:
    """Opens a file and gives its tensors and its metadata."""
    with contextlib.ExitStack() as stack:
        with damage_named(path, _FORMAT, *_ERRORS):
            file = stack.enter_context(safe_open(path, framework="numpy"))
            metadata = file.metadata() or {}
            tensors = {name: _stored(file, name, path) for name in file.keys()}  # noqa: SIM118
        yield tensors, metadata


def _stored(file: Any, name: str, path: Path) -> StoredTensor:
    part = file.get_slice(name)

    def read() -> np.ndarray:
        with damage_named(path, _FORMAT, *_ERRORS):
            return file.get_tensor(name)

    dtype = str(part.get_dtype())
    return StoredTensor(tuple(part.get_shape()), _DTYPES.get(dtype, dtype), read)
