"""A line on a terminal while Keras and a model are loaded, without TensorFlow's own."""

import contextlib
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator

from keras_cait.terminal.captured_stderr import captured_stderr


@contextlib.contextmanager
def loading(what: str, *, quiet: bool = False) -> Iterator[None]:
    """Prints that `what` is loaded, and captures the messages of C++ libraries.

    They are printed after an error, except one that the user can correct; Python's
    warnings are printed afterwards.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported
    # Else each attempt to reach the hub is a line; the last one is in the error.
    os.environ.setdefault("HF_HUB_VERBOSITY", "error")
    line = f"loading {what} ..."
    if not quiet:
        sys.stderr.write(line)
        sys.stderr.flush()
    started = time.perf_counter()
    end = " failed\n"
    written: Callable[[], str] = str  # nothing, until the capture begins
    caught: list[warnings.WarningMessage] = []
    try:
        with (
            captured_stderr() as written,
            warnings.catch_warnings(record=True) as caught,
        ):
            yield
        end = f" {time.perf_counter() - started:.1f} s\n"
    except (ValueError, OSError, ImportError):
        raise
    except Exception:
        end += written()
        raise
    finally:
        if not quiet:
            # Again on a terminal, where the bar of a download may have come between.
            begin = f"\r{line}" if sys.stderr.isatty() else ""
            sys.stderr.write(begin + end)
        for one in caught:
            warnings.showwarning(one.message, one.category, one.filename, one.lineno)


def loading_libraries() -> contextlib.AbstractContextManager[None]:
    """As `loading`, of Keras and TensorFlow; silent where Keras is loaded already."""
    return loading("Keras and TensorFlow", quiet="keras" in sys.modules)
