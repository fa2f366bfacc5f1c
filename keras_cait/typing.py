"""Type aliases of shapes and of tensors of any backend."""

from typing import Any, TypeAlias

Shape: TypeAlias = tuple[int | None, ...]
"""A tensor's shape; `None` for an axis known only at run time."""

Tensor: TypeAlias = Any
"""A tensor of the backend that Keras runs on, or a symbolic `KerasTensor`."""
