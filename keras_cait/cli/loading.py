"""A line on a terminal while Keras and a model are loaded, without TensorFlow's own."""

import contextlib
import os
import sys
import time
from collections.abc import Iterator

from keras_cait.captured_stderr import captured_stderr


@contextlib.contextmanager
def loading(what: str, *, quiet: bool = False) -> Iterator[None]:
    """Prints that `what` is loaded, and captures the messages of C++ libraries.

    They are printed after an error, except one that the user can correct.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported
    if not quiet:
        sys.stderr.write(f"loading {what} ...")
        sys.stderr.flush()
    started = time.perf_counter()
    end = " failed\n"
    try:
        with captured_stderr() as written:
            try:
                yield
            except (ValueError, OSError, ImportError):
                raise
            except Exception:
                sys.stdout.flush()
                end += written()
                raise
        end = f" {time.perf_counter() - started:.1f} s\n"
    finally:
        if not quiet:
            sys.stderr.write(end)
