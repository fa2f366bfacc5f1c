"""How a program ends: what it prints in one line, and the exit code."""

import contextlib
import os
import re
import signal
import sys
import textwrap
import threading
from collections.abc import Callable, Collection, Iterator
from typing import Any

INTERRUPTED, TERMINATED = 128 + signal.SIGINT, 128 + signal.SIGTERM  # as shells have it
_SOON = 0.05  # seconds
_LONGEST = 1000  # characters of an error; one may name all weights of a model


class _Terminated(BaseException):
    """SIGTERM; no `Exception`, so that nothing but `finally` holds it up."""


def exit_code_of(work: Callable[[], str], *, flags: Collection[str] = ()) -> int:
    """Runs what a command line asks for, and prints its last line, if it has one.

    Args:
        work: Gives the line.
        flags: The command line's, such as "--batch-size"; errors that name the Python
            argument `batch_size` name the flag in its place.

    Returns:
        0, or after one line of error: 2 after what its user can mend, 130 after Ctrl-C
        and 143 after SIGTERM, both with their clean-up done.

    Example:
        >>> exit_code_of(lambda: "done")
        done
        0

    """
    try:
        with _sigterm_raised(), _sent_again():
            last_line = work()
    except (ValueError, OSError, ImportError, FloatingPointError) as error:
        return _ended(2, in_flags(str(error), flags))
    except KeyboardInterrupt:
        return _ended(INTERRUPTED, "interrupted")
    except _Terminated:
        return _ended(TERMINATED, "terminated")
    if last_line:
        sys.stdout.write(f"{last_line}\n")
    return 0


def in_flags(message: str, flags: Collection[str]) -> str:
    """A message about Python arguments in words of a command line.

    Example:
        >>> in_flags("`top_k` must be 1 or more. Received: top_k=0", ["--top-k"])
        '--top-k must be 1 or more. Received: --top-k 0'
        >>> in_flags("Choose another file, or `overwrite=True`", ["--overwrite"])
        'Choose another file, or --overwrite'

    """
    for flag in flags:
        name = flag.removeprefix("--").replace("-", "_")
        message = re.sub(rf"`{name}(=True)?`", flag, message)
        message = re.sub(rf'`{name}="?([^`"]*)"?`', rf"{flag} \1", message)
        message = re.sub(rf"(?<![\w/.]){name}=", f"{flag} ", message)
    return message


def _ended(code: int, message: str) -> int:
    line = textwrap.shorten(message, _LONGEST, placeholder=" ...")
    sys.stderr.write(f"error: {line}\n")
    return code


@contextlib.contextmanager
def _sigterm_raised() -> Iterator[None]:
    """Inside, SIGTERM raises, unless someone else takes it already."""
    main = threading.current_thread() is threading.main_thread()  # others get no signal
    if not main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return

    def raise_it(number: int, frame: Any) -> None:
        raise _Terminated

    signal.signal(signal.SIGTERM, raise_it)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


@contextlib.contextmanager
def _sent_again() -> Iterator[None]:
    """Inside, a signal that came while Python deleted an object comes once more.

    What is raised in a `__del__` or in a callback of a weak reference, Python only
    reports, and goes on; of TensorFlow's objects so many are deleted that it happens.
    """
    report, timers = sys.unraisablehook, []

    def send_again(ignored: Any) -> None:
        numbers = {KeyboardInterrupt: signal.SIGINT, _Terminated: signal.SIGTERM}
        number = numbers.get(ignored.exc_type)
        if number is None:
            report(ignored)
            return
        timers.append(threading.Timer(_SOON, os.kill, (os.getpid(), number)))
        timers[-1].start()

    sys.unraisablehook = send_again
    try:
        yield
    finally:
        sys.unraisablehook = report
        for timer in timers:
            timer.cancel()
