"""The one place that compares the tensors of a file with those of a model."""

from collections.abc import Mapping, Set
from pathlib import Path

from keras_cait.typing import Shape
from keras_cait.weights.tensors.variant_detection import variant_name


def check_tensors(
    expected: Mapping[str, Shape],
    found: Mapping[str, Shape],
    *,
    besides: Set[str] = frozenset(),
    source: str | Path,
    model_name: str,
) -> None:
    """Raises `ValueError` that names every tensor that does not fit.

    Those in `besides` may differ or lack. Where the file is of a published variant,
    the error says of which.
    """
    problems = []
    for name in expected.keys() - found.keys() - besides:
        problems.append(f"missing: {name} {tuple(expected[name])}")
    for name in found.keys() - expected.keys() - besides:
        problems.append(f"left over: {name} {tuple(found[name])}")
    for name in (expected.keys() & found.keys()) - besides:
        if tuple(expected[name]) != tuple(found[name]):
            problems.append(
                f"shape: {name} should be {tuple(expected[name])} "
                f"but is {tuple(found[name])}"
            )
    if not problems:
        return
    listing = "\n  ".join(sorted(problems))
    looks_like = variant_name(found)
    hint = ""
    if looks_like is not None and looks_like != variant_name(expected):
        hint = f" The file looks like one of {looks_like}."
    elif not expected.keys() & found.keys():
        hint = " The file has another layout: it holds none of the model's tensors."
    raise ValueError(
        f"The weights do not fit the model {model_name!r}, which is unchanged."
        f"{hint} Received: {source}, in which {len(problems)} tensor(s) differ:\n"
        f"  {listing}\nBuild the model with the size, `classes` and `distilled` "
        "of the file, or give the file of this model."
    )
