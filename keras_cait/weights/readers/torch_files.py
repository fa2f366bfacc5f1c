"""Torch's files, read by torch itself and never unpickled freely."""

import argparse
import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from keras_cait.errors import first_line
from keras_cait.optional_packages import import_optional
from keras_cait.weights.tensors.stored_tensors import StoredTensor


def read_torch_file(path: Path) -> dict[str, Any]:
    """What a file of `torch.save` holds, its tensors as `StoredTensor`.

    Raises:
        ImportError: If torch is not installed.
        ValueError: If the file is damaged, of another kind, or holds anything that
            running code would have to build.

    """
    purpose = f"to read {path} (a .safetensors file does not need it)"
    torch = import_optional("torch", "torch", purpose=purpose)
    try:
        _check_archive(path)
        # The official training code keeps its arguments beside the weights.
        with torch.serialization.safe_globals([argparse.Namespace]):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # many kinds, for files that are damaged
        raise ValueError(
            "Expected a complete file of torch with weights and nothing that runs "
            f"code. Received: {path}, {_reason(error)}"
        ) from error
    if not isinstance(content, Mapping):
        raise ValueError(
            "Expected a dictionary of weights in the file. "
            f"Received: {path} with a {type(content).__name__}"
        )
    return _tensors(content)


def _reason(error: Exception) -> str:
    """The first line of an error, without torch's advice to run what is in the file."""
    if isinstance(error, pickle.UnpicklingError):
        return "which is damaged, or holds objects other than tensors"
    return first_line(error)


def _check_archive(path: Path) -> None:
    """Refuses an archive that is compressed, as torch's are not: it may be endless."""
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            if info.compress_type != zipfile.ZIP_STORED:
                raise ValueError(f"in which {info.filename} is compressed")


def _tensors(content: Mapping[Any, Any]) -> dict[str, Any]:
    """The tensors of a dictionary and of those in it, to be read when needed."""
    tensors: dict[str, Any] = {}
    for name, value in content.items():
        if isinstance(value, Mapping):
            tensors[str(name)] = _tensors(value)
        elif hasattr(value, "detach"):
            tensors[str(name)] = _stored(value.detach())
    return tensors


def _stored(tensor: Any) -> StoredTensor:
    kind = str(tensor.dtype).removeprefix("torch.")
    if tensor.is_nested:
        return StoredTensor((), f"nested {kind}", tensor.numpy)
    if str(tensor.layout) != "torch.strided":
        kind = f"sparse {kind}"
    elif tensor.device.type != "cpu":
        kind = f"{kind} without values"

    def read() -> np.ndarray:
        # NumPy has no bfloat16, and no view that turns signs.
        wide = tensor.float() if kind == "bfloat16" else tensor
        return wide.resolve_neg().numpy()

    return StoredTensor(tuple(tensor.shape), kind, read)
