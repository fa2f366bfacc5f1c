"""Which published variant a set of tensors is of."""

import re
from collections.abc import Mapping
from typing import Any

from keras_cait.typing import Shape
from keras_cait.variants import VARIANTS


def variant_name(shapes: Mapping[str, Shape]) -> str | None:
    """The builder of the variant that has these tensors.

    Only what makes a variant is looked at: neither the image size, nor the number
    of classes, nor whether all is there.

    Args:
        shapes: Shapes by timm's names, of a file or of a model.

    Returns:
        For example "CaiT_S24"; None if there is no such variant.

    Example:
        >>> variant_name({"norm.weight": (100,)}) is None
        True

    """
    found = traits(shapes)
    for name, variant in VARIANTS.items():
        if found == {trait: getattr(variant, trait, None) for trait in found}:
            return name
    return None


def traits(shapes: Mapping[str, Shape]) -> dict[str, Any]:
    """What the tensors tell of the variant, by the names in the table."""
    if "stem.conv.weight" in shapes:
        return {"family": "regnet", "depth": _count(r"s\d+\.b\d+\.conv1\.", shapes)}
    found = {
        "family": "deit",
        "embed_dim": shapes.get("norm.weight", (None,))[0],
        "depth": _count(r"blocks\.\d+\.", shapes),
        "patch_size": shapes.get("patch_embed.proj.weight", (None,))[-1],
    }
    if _count(r"blocks_token_only\.\d+\.", shapes):
        return {**found, "family": "cait"}  # a distillation token may have joined
    if "blocks.0.ls1.gamma" in shapes:
        found["family"] = "deit3"
    return {**found, "distilled": "dist_token" in shapes}


def _count(pattern: str, shapes: Mapping[str, Shape]) -> int:
    """How many different beginnings of names fit."""
    return len({m.group() for name in shapes if (m := re.match(pattern, name))})
