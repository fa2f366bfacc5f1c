"""What programs of this package do with the standard error.

Who runs `python -m keras_cait...`, or a file that runs this one first, gets TensorFlow
started without the lines that it logs while it does. It writes them before it reads any
setting, so only the stream itself can be turned off. Who imports the package has the
log as it was.
"""

import contextlib
import importlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import IO

_QUIET = "KERAS_CAIT_QUIET"  # set for the processes that a program starts


@contextlib.contextmanager
def standard_error_kept() -> Iterator[Callable[[], str]]:
    """Keeps what is written to the standard error inside, C++ included.

    Gives a function that returns it: for an error, where it may say more. It is the
    whole process's standard error, so other threads are silent too meanwhile.

    Example:
        >>> with standard_error_kept() as written:
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


def _is_run() -> bool:
    if __name__ == "__main__" or _QUIET in os.environ:
        return True
    if sys.argv[:1] != ["-m"]:  # which stands there until the module is found
        return False
    module = sys.orig_argv[sys.orig_argv.index("-m") + 1]
    return module.partition(".")[0] == "keras_cait"


def _show_exception(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    """As Python does, but for Ctrl-C, which is one line; Python ends with 130."""
    if issubclass(kind, KeyboardInterrupt):
        sys.stderr.write("error: interrupted\n")
    else:
        sys.__excepthook__(kind, error, traceback)


def _start_quietly() -> None:
    sys.excepthook = _show_exception  # while packages load, which takes seconds
    # Errors that matter are raised; what TensorFlow logs as one, such as the kernel
    # that it falls back to, is not for whoever runs a program.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ[_QUIET] = "1"
    if os.environ.get("KERAS_BACKEND", "tensorflow") != "tensorflow":
        return
    # Where there is no TensorFlow, the program's own import says so.
    with standard_error_kept(), contextlib.suppress(ImportError):
        # Looking for a GPU logs an error on every machine without one.
        importlib.import_module("tensorflow").config.list_physical_devices()


if _is_run():
    _start_quietly()
