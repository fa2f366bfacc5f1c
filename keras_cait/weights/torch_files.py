"""Torch's files, read by torch itself and never unpickled freely."""

import argparse
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from keras_cait.weights.stored_tensors import StoredTensor


def read_torch_file(path: Path) -> dict[str, Any]:
    """What a file of `torch.save` holds, its tensors as `StoredTensor`.

    Raises:
        ImportError: If torch is not installed.
        ValueError: If the file is damaged, of another kind, or holds anything that
            running code would have to build.

    """
    try:
        import torch  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise ImportError(
            f"Reading {path} takes torch, which is not installed. Install "
            "keras_cait[torch], or give the weights as a .safetensors file."
        ) from error
    try:
        # The official training code keeps its arguments beside the weights.
        with torch.serialization.safe_globals([argparse.Namespace]):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except (
        pickle.UnpicklingError,
        RuntimeError,
        EOFError,
        OSError,
    ) as error:
        reason = str(error).strip().splitlines() or ["empty"]
        raise ValueError(
            "Expected a complete file of torch with weights and nothing that runs "
            f"code. Received: {path}, {reason[0]}"
        ) from error
    if not isinstance(content, Mapping):
        raise ValueError(
            "Expected a dictionary of weights in the file. "
            f"Received: {path} with a {type(content).__name__}"
        )
    return _tensors(content)


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
    if str(tensor.layout) != "torch.strided":
        kind = f"sparse {kind}"
    elif tensor.device.type != "cpu":
        kind = f"{kind} without values"

    def read() -> np.ndarray:
        # NumPy has no bfloat16.
        return tensor.float().numpy() if kind == "bfloat16" else tensor.numpy()

    return StoredTensor(tuple(tensor.shape), kind, read)
