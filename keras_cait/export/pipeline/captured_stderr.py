"""Captures what libraries write to the standard error, C++ included."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from typing import IO


@contextlib.contextmanager
def captured_stderr() -> Iterator[Callable[[], str]]:
    """Keeps what is written to the standard error inside, C++ included.

    Gives a function that returns it: for an error, where it may say more. It is the
    whole process's standard error, so other threads are silent too meanwhile.

    Example:
        >>> with captured_stderr() as written:
        ...     _ = os.write(2, b"a converter's chatter")
        >>> written()
        "a converter's chatter"

    """
    text: str | None = None
    sys.stderr.flush()
    with tempfile.TemporaryFile() as kept:

        def written() -> str:
            return _content(kept) if text is None else text

        before = os.dup(2)
        os.dup2(kept.fileno(), 2)
        try:
            yield written
        finally:
            sys.stderr.flush()
            os.dup2(before, 2)
            os.close(before)
            text = _content(kept)


def _content(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")
