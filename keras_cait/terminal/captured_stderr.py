"""Capture of the standard error, including messages of C++ libraries."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from typing import IO

_outside: list[int] = []  # descriptors of the standard error before each capture


@contextlib.contextmanager
def captured_stderr() -> Iterator[Callable[[], str]]:
    """Captures the standard error of the whole process, including C++ and all threads.

    Yields a function that returns the captured text, for an error message.

    Example:
        >>> with captured_stderr() as written:
        ...     _ = os.write(2, b"a converter's chatter")
        >>> written()
        "a converter's chatter"

    """
    text: str | None = None
    sys.stderr.flush()
    with tempfile.TemporaryFile() as capture:

        def written() -> str:
            return _content(capture) if text is None else text

        before = os.dup(2)
        os.dup2(capture.fileno(), 2)
        _outside.append(before)
        try:
            yield written
        finally:
            sys.stderr.flush()
            os.dup2(_outside.pop(), 2)
            os.close(before)
            text = _content(capture)


@contextlib.contextmanager
def released_stderr() -> Iterator[None]:
    """Inside of captures, writes to the standard error outside of them.

    On a terminal a new line is begun. Without a capture nothing changes.
    """
    if not _outside:
        yield
        return
    sys.stderr.flush()
    inner = os.dup(2)
    os.dup2(_outside[0], 2)
    try:
        if sys.stderr.isatty():
            sys.stderr.write("\n")
        yield
    finally:
        sys.stderr.flush()
        os.dup2(inner, 2)
        os.close(inner)


def _content(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")
