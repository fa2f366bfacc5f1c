"""A line on a terminal while Keras and a model are loaded, without TensorFlow's own."""

import contextlib
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator

from keras_cait.captured_stderr import captured_stderr


@contextlib.contextmanager
def loading(what: str, *, quiet: bool = False) -> Iterator[None]:
    """Prints that `what` is loaded, and captures the messages of C++ libraries.

    They are printed after an error, except one that the user can correct; Python's
    warnings are printed afterwards.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported
    if not quiet:
        sys.stderr.write(f"loading {what} ...")
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
            sys.stderr.write(end)
        for one in caught:
            warnings.showwarning(one.message, one.category, one.filename, one.lineno)


def loading_libraries() -> contextlib.AbstractContextManager[None]:
    """As `loading`, of Keras and TensorFlow; silent where Keras is loaded already."""
    return loading("Keras and TensorFlow", quiet="keras" in sys.modules)
