"""The student that a recipe is asked for: a published variant or a size of its own."""

import difflib
from typing import Any

from keras_cait.variants import VARIANTS

_STUDENTS = {name: row for name, row in VARIANTS.items() if row.family == "deit"}
_SIZES = ("embed_dim", "depth", "num_heads", "patch_size")


def student_size(name: str) -> dict[str, Any]:
    """The arguments of `keras_cait.DeiT` for a student by name.

    Args:
        name: A builder such as "DeiT_Ti" (with or without "_Distilled": the
            recipe decides whether there is a teacher), or a size such as
            "embed_dim=64,depth=4,num_heads=4,patch_size=2".

    Raises:
        ValueError: If it is neither; the nearest name is suggested.

    Example:
        >>> student_size("embed_dim=64,depth=4,num_heads=4,patch_size=2")["depth"]
        4

    """
    variant = _STUDENTS.get(name.removesuffix("_Distilled"))
    if variant is not None:
        return {size: getattr(variant, size) for size in _SIZES}
    given = [part.partition("=") for part in name.split(",")]
    sizes = {key.strip(): value.strip() for key, _, value in given}
    if set(sizes) == set(_SIZES) and all(v.isdecimal() for v in sizes.values()):
        return {size: int(sizes[size]) for size in _SIZES}
    near = difflib.get_close_matches(name, _STUDENTS, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    raise ValueError(
        f"`student` must be one of {', '.join(_STUDENTS)}, or a size such as "
        "embed_dim=64,depth=4,num_heads=4,patch_size=2 with whole numbers. "
        f"Received: student={name!r}.{hint}"
    )
