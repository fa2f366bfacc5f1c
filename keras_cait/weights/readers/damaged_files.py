"""Errors of reading libraries, converted to one that names the file."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from keras_cait.errors import first_line


@contextlib.contextmanager
def damage_named(
    path: Path, expected: str, *errors: type[BaseException]
) -> Iterator[None]:
    """Converts errors to a `ValueError` that names the file and its expected format."""
    try:
        yield
    except errors as error:
        raise ValueError(
            f"Expected {expected}. Received: {path}, {first_line(error)}"
        ) from error
