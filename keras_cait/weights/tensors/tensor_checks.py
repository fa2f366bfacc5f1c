"""Checks of a checkpoint's tensors against those of a model."""

from collections.abc import Mapping, Set

import numpy as np

from keras_cait.typing import Shape
from keras_cait.weights.tensors.stored_tensors import StoredTensor
from keras_cait.weights.tensors.variant_detection import variant_name

_FLOATS = {"float16", "bfloat16", "float32", "float64"}


def check_tensors(
    expected: Mapping[str, Shape],
    found: Mapping[str, Shape],
    *,
    ignored: Set[str],
    source: str,
    model_name: str,
) -> None:
    """Raises `ValueError` that names every tensor with another name or shape.

    Where the file is of a published variant, the error names the variant.
    """
    problems = []
    for name in expected.keys() - found.keys() - ignored:
        problems.append(f"missing: {name} {tuple(expected[name])}")
    for name in found.keys() - expected.keys() - ignored:
        problems.append(f"left over: {name} {tuple(found[name])}")
    for name in (expected.keys() & found.keys()) - ignored:
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
        f"{_unfit(model_name)}{hint} Received: {source}, in which {len(problems)} "
        f"tensor(s) differ:\n  {listing}\nBuild the model with the size, `classes` and "
        "`distilled` of the file, or give the file of this model."
    )


def checked_values(
    tensors: Mapping[str, StoredTensor],
    dtypes: Mapping[str, str],
    *,
    source: str,
    model_name: str,
) -> dict[str, np.ndarray]:
    """Reads tensors and converts them to the number types of a model's weights.

    Raises `ValueError` that names every tensor with other than finite floating-point
    numbers.
    """
    others = {
        name: tensor.dtype
        for name, tensor in tensors.items()
        if tensor.dtype not in _FLOATS and tensor.dtype != dtypes[name]
    }
    if others:
        raise ValueError(
            f"{_unfit(model_name)} Expected numbers of type float32, float16, bfloat16 "
            f"or float64. Received: {source}, in which {len(others)} tensor(s) hold "
            f"others:{_listing(others)}\nSave the model's weights in float32."
        )
    values: dict[str, np.ndarray] = {}
    not_finite: dict[str, str] = {}
    for name, tensor in tensors.items():
        with np.errstate(over="ignore", invalid="ignore"):
            value = np.asarray(tensor.read()).astype(np.dtype(dtypes[name]), copy=False)
        values[name] = value
        count = value.size - np.count_nonzero(np.isfinite(value))
        if count:
            not_finite[name] = f"{count} of {value.size}"
    if not_finite:
        raise ValueError(
            f"{_unfit(model_name)} Expected finite numbers. Received: {source}, in "
            f"which {len(not_finite)} tensor(s) hold NaN or infinity:"
            f"{_listing(not_finite)}\nTake a file that was saved before the training "
            "diverged."
        )
    return values


def _unfit(model_name: str) -> str:
    return f"The weights do not fit the model {model_name!r}, which is unchanged."


def _listing(found: Mapping[str, str]) -> str:
    return "".join(f"\n  {name}: {text}" for name, text in sorted(found.items()))
