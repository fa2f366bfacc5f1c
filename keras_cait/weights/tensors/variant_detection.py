"""Detection of the published variant that a set of tensors belongs to."""

import re
from collections.abc import Mapping
from typing import Any

from keras_cait.typing import Shape
from keras_cait.variants import VARIANTS


def variant_name(shapes: Mapping[str, Shape]) -> str | None:
    """Name of the builder of the variant with these shapes, by timm's names.

    The image size, the number of classes and missing tensors make no difference.
    """
    found = traits(shapes)
    for name, variant in VARIANTS.items():
        if found == {trait: getattr(variant, trait, None) for trait in found}:
            return name
    return None


def traits(shapes: Mapping[str, Shape]) -> dict[str, Any]:
    """Sizes that follow from the tensors, under the names of `Variant`'s fields."""
    if "stem.conv.weight" in shapes:
        return {"family": "regnet", "depth": _count(r"s\d+\.b\d+\.conv1\.", shapes)}
    found = {
        "family": "deit",
        "embed_dim": shapes.get("norm.weight", (None,))[0],
        "depth": _count(r"blocks\.\d+\.", shapes),
        "patch_size": shapes.get("patch_embed.proj.weight", (None,))[-1],
    }
    if _count(r"blocks_token_only\.\d+\.", shapes):
        return {**found, "family": "cait"}  # with or without a distillation token
    if "blocks.0.ls1.gamma" in shapes:
        found["family"] = "deit3"
    return {**found, "distilled": "dist_token" in shapes}


def _count(pattern: str, shapes: Mapping[str, Shape]) -> int:
    """Number of different matches at the beginning of the names."""
    return len({m.group() for name in shapes if (m := re.match(pattern, name))})
