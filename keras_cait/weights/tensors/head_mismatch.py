"""Tensors that are not loaded because a checkpoint has another head than a model."""

import re
from collections.abc import Mapping

from keras_cait.typing import Shape

# In timm's names, and in the files that Keras writes: no other layer of a model is
# a Dense at the top level.
_HEAD = re.compile(r"head(_dist|\.fc)?\.(weight|bias)|layers/dense(_\d+)?/vars/[01]")
# No published CaiT has these tensors; a CaiT built with `distilled=True` does.
_DISTILLATION = {"dist_token", "head_dist.weight", "head_dist.bias"}


def skipped_head_tensors(
    expected: Mapping[str, Shape],
    found: Mapping[str, Shape],
    *,
    new_head: bool,
    source: str,
) -> tuple[set[str], str]:
    """Names of the tensors that are not loaded, and a warning or an empty string.

    A model without a head takes no head's tensors. With `new_head`, heads for another
    number of classes, and a distillation token that the file lacks, keep their random
    values.
    """
    heads = {name for name in expected if _HEAD.fullmatch(name)}
    if not heads:
        return {name for name in found if _HEAD.fullmatch(name)}, ""
    if not new_head:
        return set(), ""
    names: set[str] = set()
    reasons = []
    for name in sorted(heads & found.keys()):
        pairs = zip(expected[name], found[name], strict=False)
        differ = [pair for pair in pairs if pair[0] != pair[1]]
        if len(expected[name]) == len(found[name]) and len(differ) == 1:
            names.add(name)
            reasons = ["the model has {} classes, the file {}".format(*differ[0])]
    if "dist_token" in expected and "dist_token" not in found:
        names |= _DISTILLATION & expected.keys()
        reasons.append("the file has no distillation token")
    if not names:
        return names, ""
    return names, (
        f"{' and '.join(reasons)}: {', '.join(sorted(names))} keep their random start "
        f"and need training. Everything else of {source} is loaded."
    )
