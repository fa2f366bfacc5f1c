"""Files of torch, read with torch and without free unpickling."""

import argparse
import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from keras_cait.optional_packages import import_optional
from keras_cait.weights.readers.damaged_files import damage_named
from keras_cait.weights.tensors.stored_tensors import StoredTensor


def read_torch_file(path: Path) -> dict[str, Any]:
    """Content of a file of `torch.save`, with its tensors as `StoredTensor`."""
    purpose = f"to read {path} (a .safetensors file does not need it)"
    torch = import_optional("torch", "torch", purpose=purpose)
    expected = "a complete file of torch with weights and nothing that runs code"
    with damage_named(path, expected, Exception):  # torch raises many kinds
        _check_archive(path)
        try:
            # The official training code keeps its arguments beside the weights.
            with torch.serialization.safe_globals([argparse.Namespace]):
                content = torch.load(path, map_location="cpu", weights_only=True)
        except pickle.UnpicklingError as error:  # with advice to run the file's code
            raise ValueError(
                "which is damaged, or holds objects other than tensors"
            ) from error
    if not isinstance(content, Mapping):
        raise ValueError(
            "Expected a dictionary of weights in the file. "
            f"Received: {path} with a {type(content).__name__}"
        )
    return _tensors(content)


def _check_archive(path: Path) -> None:
    """Refuses a compressed archive, which torch never writes: it may have no end."""
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            if info.compress_type != zipfile.ZIP_STORED:
                raise ValueError(f"in which {info.filename} is compressed")


def _tensors(content: Mapping[Any, Any]) -> dict[str, Any]:
    """The tensors of a dictionary and of the dictionaries in it."""
    tensors: dict[str, Any] = {}
    for name, value in content.items():
        if isinstance(value, Mapping):
            tensors[str(name)] = _tensors(value)
        elif hasattr(value, "detach"):
            tensors[str(name)] = _stored(value.detach())
    return tensors


def _stored(tensor: Any) -> StoredTensor:
    dtype = str(tensor.dtype).removeprefix("torch.")
    if tensor.is_nested:
        return StoredTensor((), f"nested {dtype}", tensor.numpy)
    if str(tensor.layout) != "torch.strided":
        dtype = f"sparse {dtype}"
    elif tensor.device.type != "cpu":
        dtype = f"{dtype} without values"

    def read() -> np.ndarray:
        # NumPy has no bfloat16, and no view that changes signs.
        wide = tensor.float() if dtype == "bfloat16" else tensor
        return wide.resolve_neg().numpy()

    return StoredTensor(tuple(tensor.shape), dtype, read)
