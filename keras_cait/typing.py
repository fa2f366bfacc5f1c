"""The two aliases that annotate shapes and backend tensors throughout."""

from typing import Any, TypeAlias

Shape: TypeAlias = tuple[int | None, ...]
"""A tensor's shape; `None` for an axis known only at run time."""

Tensor: TypeAlias = Any
"""A tensor of whichever backend Keras runs on, or a symbolic `KerasTensor`."""
