"""Conversion between published layouts of checkpoints and timm's."""

import re
from collections.abc import Mapping
from typing import Any


def to_timm_layout(content: Mapping[str, Any]) -> dict[str, Any]:
    """Tensors by timm's names, from a checkpoint of timm or of the official code.

    The official files hold the tensors under "model" and, for CaiT, put "module."
    in front of every name; DeiT-III has `gamma_1` where timm has `ls1.gamma` for
    LayerScale. timm's own files come back unchanged.
    """
    for key in ("model", "state_dict"):
        if isinstance(content.get(key), Mapping):
            content = content[key]
    tensors = _renamed(content, r"^module\.", "")
    if any(name.startswith("blocks_token_only.") for name in tensors):
        return tensors  # a CaiT
    return _renamed(tensors, r"^(blocks\.\d+\.)gamma_(\d)$", r"\1ls\2.gamma")


def to_official_layout(content: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse of `to_timm_layout`: a checkpoint as the official code reads it."""
    if any(name.startswith("blocks_token_only.") for name in content):
        return {"model": {f"module.{name}": value for name, value in content.items()}}
    pattern = r"^(blocks\.\d+\.)ls(\d)\.gamma$"
    return {"model": _renamed(content, pattern, r"\1gamma_\2")}


def _renamed(
    content: Mapping[str, Any], pattern: str, replacement: str
) -> dict[str, Any]:
    tensors: dict[str, Any] = {}
    for key, tensor in content.items():
        name = re.sub(pattern, replacement, str(key))
        if name in tensors:
            raise ValueError(f"two tensors are both {name} without their prefix")
        tensors[name] = tensor
    return tensors
