"""Tensors of a file, and the checks of their values before a model takes them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from keras_cait.typing import Shape

_FLOATS = {"float16", "bfloat16", "float32", "float64"}


@dataclass(frozen=True)
class StoredTensor:
    """A tensor of a file that is read only when its values are needed.

    Attributes:
        shape: Its shape.
        kind: The type of its numbers, such as "float32", in the file's words where
            NumPy has no such type.
        read: Reads the values.
    """

    shape: Shape
    kind: str
    read: Callable[[], np.ndarray]


def checked_values(
    tensors: Mapping[str, StoredTensor],
    dtypes: Mapping[str, str],
    *,
    source: str | Path,
    model_name: str,
) -> dict[str, np.ndarray]:
    """Reads tensors and returns their values in the types of the model's weights.

    Half and double precision are converted.

    Args:
        tensors: Those to be read, by name; their shapes are the model's.
        dtypes: Types of the model's weights.
        source: Where the file is, for the message.
        model_name: Name of the model likewise.

    Raises:
        ValueError: If a tensor holds other numbers than the floating-point numbers
            that a model takes, or NaN or infinity; each one is named.

    """
    start = f"The weights do not fit the model {model_name!r}, which is unchanged. "
    kinds = {
        name: tensor.kind
        for name, tensor in tensors.items()
        if tensor.kind not in _FLOATS and tensor.kind != dtypes[name]
    }
    if kinds:
        raise ValueError(
            f"{start}Expected numbers of type float32, float16, bfloat16 or float64. "
            f"Received: {source}, in which {len(kinds)} tensor(s) hold others:"
            f"{_listing(kinds)}\nSave the model's weights in float32."
        )
    values: dict[str, np.ndarray] = {}
    bad: dict[str, str] = {}
    for name, tensor in tensors.items():
        with np.errstate(over="ignore", invalid="ignore"):
            value = np.asarray(tensor.read()).astype(np.dtype(dtypes[name]), copy=False)
        values[name] = value
        wrong = value.size - np.count_nonzero(np.isfinite(value))
        if wrong:
            bad[name] = f"{wrong} of {value.size}"
    if bad:
        raise ValueError(
            f"{start}Expected finite numbers. Received: {source}, in which {len(bad)} "
            f"tensor(s) hold NaN or infinity:{_listing(bad)}\nTake a file that was "
            "saved before the training diverged."
        )
    return values


def dtype_name(dtype: np.dtype) -> str:
    """Name of a NumPy type as in `StoredTensor.kind`.

    Example:
        >>> dtype_name(np.dtype(">f4")), dtype_name(np.dtype("S8"))
        ('float32', 'string or object')

    """
    if dtype.names is not None:
        return "compound"
    return "string or object" if dtype.kind in "OSU" else dtype.name


def _listing(found: Mapping[str, str]) -> str:
    return "".join(f"\n  {name}: {what}" for name, what in sorted(found.items()))
