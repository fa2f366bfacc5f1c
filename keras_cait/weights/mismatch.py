"""The one place that compares the tensors of a file with those of a model."""

from collections.abc import Mapping
from pathlib import Path

from keras_cait.typing import Shape


def check_tensors(
    expected: Mapping[str, Shape],
    found: Mapping[str, Shape],
    *,
    source: str | Path,
    model_name: str,
) -> None:
    """Raises `ValueError` that names every tensor that does not fit."""
    problems = []
    for name in expected.keys() - found.keys():
        problems.append(f"missing: {name} {tuple(expected[name])}")
    for name in found.keys() - expected.keys():
        problems.append(f"left over: {name} {tuple(found[name])}")
    for name in expected.keys() & found.keys():
        if tuple(expected[name]) != tuple(found[name]):
            problems.append(
                f"shape: {name} should be {tuple(expected[name])} "
                f"but is {tuple(found[name])}"
            )
    if problems:
        listing = "\n  ".join(sorted(problems))
        raise ValueError(
            f"The weights do not fit the model {model_name!r}, which is unchanged. "
            f"Received: {source}, in which {len(problems)} tensor(s) differ:\n"
            f"  {listing}\nBuild the model with the size, `classes` and `distilled` "
            "of the file, or give the file of this model."
        )
