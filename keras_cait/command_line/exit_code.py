"""Exit code of a command-line program, and its last line."""

import contextlib
import os
import re
import signal
import sys
import textwrap
import threading
from collections.abc import Callable, Collection, Iterator
from typing import Any

INTERRUPTED, TERMINATED = 128 + signal.SIGINT, 128 + signal.SIGTERM  # as in shells
_DELAY = 0.05  # seconds
_LONGEST = 1000  # characters of an error message, which may list all weights


class _Terminated(BaseException):
    """SIGTERM was received; no `Exception`, so that `except Exception` lets it pass."""


def exit_code_of(work: Callable[[], str | int], *, flags: Collection[str] = ()) -> int:
    """Runs a program and prints the line that it returns, or its error in one line.

    Returns 0, or the exit code that the program returns in place of a line. After an
    error returns 2 if the user can correct it, 130 after Ctrl-C and 143 after SIGTERM,
    both after their clean-up. An error that names the Python argument
    `batch_size` is printed with "--batch-size" if `flags` contains it.

    Example:
        >>> exit_code_of(lambda: "done")
        done
        0

    """
    try:
        with _sigterm_raised(), _lost_signals_resent():
            result = work()
    except (ValueError, OSError, ImportError, FloatingPointError) as error:
        code, message = 2, in_flags(str(error), flags)
    except KeyboardInterrupt:
        code, message = INTERRUPTED, "interrupted"
    except _Terminated:
        code, message = TERMINATED, "terminated"
    else:
        if isinstance(result, int):
            return result
        if result:
            sys.stdout.write(f"{result}\n")
        return 0
    line = textwrap.shorten(message, _LONGEST, placeholder=" ...")
    sys.stderr.write(f"error: {line}\n")
    return code


def in_flags(message: str, flags: Collection[str]) -> str:
    """Replaces Python arguments in a message by flags of a command line.

    Example:
        >>> in_flags("`top_k` must be 1 or more. Received: top_k=0", ["--top-k"])
        '--top-k must be 1 or more. Received: --top-k 0'
        >>> in_flags("Choose another file, or `overwrite=True`", ["--overwrite"])
        'Choose another file, or --overwrite'
        >>> in_flags("Without a network pass weights=None.", ["--weights"])
        'Without a network pass --weights none.'

    """
    for flag in flags:
        name = flag.removeprefix("--").replace("-", "_")
        message = re.sub(rf"`{name}(=True)?`", flag, message)
        message = re.sub(rf"`?(?<![\w/.]){name}=None\b`?", f"{flag} none", message)
        message = re.sub(rf'`{name}="?([^`"]*)"?`', rf"{flag} \1", message)
        message = re.sub(rf"(?<![\w/.]){name}=", f"{flag} ", message)
    return message


@contextlib.contextmanager
def _sigterm_raised() -> Iterator[None]:
    """Inside, SIGTERM raises `_Terminated`, unless it has a handler already."""
    is_main = threading.current_thread() is threading.main_thread()  # gets all signals
    if not is_main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return

    def on_sigterm(number: int, frame: Any) -> None:
        raise _Terminated

    signal.signal(signal.SIGTERM, on_sigterm)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


@contextlib.contextmanager
def _lost_signals_resent() -> Iterator[None]:
    """Resends a signal that arrives while Python deletes an object.

    Python reports an exception in `__del__` or in a weak reference's callback, and goes
    on. TensorFlow deletes so many objects that this happens in practice.
    """
    report, timers = sys.unraisablehook, []

    def resend(ignored: Any) -> None:
        numbers = {KeyboardInterrupt: signal.SIGINT, _Terminated: signal.SIGTERM}
        number = numbers.get(ignored.exc_type)
        if number is None:
            report(ignored)
            return
        timers.append(threading.Timer(_DELAY, os.kill, (os.getpid(), number)))
        timers[-1].start()

    sys.unraisablehook = resend
    try:
        yield
    finally:
        sys.unraisablehook = report
        for timer in timers:
            timer.cancel()
