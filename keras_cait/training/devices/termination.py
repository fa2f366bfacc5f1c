"""Ends a run after SIGTERM, which batch systems send first, and after Ctrl-C."""

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any, NoReturn

_WORDS = {signal.SIGTERM: "terminated", signal.SIGINT: "interrupted"}


class _Request:
    is_deferred = False  # whether `end_if_asked` will be called
    by: signal.Signals | None = None  # the signal received


@contextlib.contextmanager
def exits_on_signals() -> Iterator[None]:
    """Inside, SIGTERM ends the program with code 143, after its clean-up.

    Python's default handler ends it at once. Ctrl-C (SIGINT) raises KeyboardInterrupt,
    as by default. Has no effect outside of the main thread, which alone gets signals.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, _on_signal) for number in _WORDS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def signals_deferred() -> Iterator[None]:
    """Inside, only `end_if_asked` and `end` end the program after a signal.

    A second Ctrl-C ends it at once.
    """
    _Request.is_deferred = True
    try:
        yield
    finally:
        _Request.is_deferred = False
    end_if_asked()


@contextlib.contextmanager
def sigterm_handler_kept() -> Iterator[None]:
    """Restores Python's handler of SIGTERM after code that replaces it in C++.

    TensorFlow and JAX do so with several workers, and then SIGTERM has no effect.
    """
    yield
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGTERM))


def is_asked() -> bool:
    """Whether SIGTERM or Ctrl-C has been received."""
    return _Request.by is not None


def end_if_asked() -> None:
    """Ends the program if SIGTERM or Ctrl-C has been received."""
    if is_asked():
        end()


def end(message: str = "") -> NoReturn:
    """Ends the program as after SIGTERM (code 143), or after a received Ctrl-C (130).

    The message is printed after "terminated" or "interrupted".
    """
    by, _Request.by = _Request.by or signal.SIGTERM, None
    line = f"error: {_WORDS[by]}"
    sys.stderr.write(f"\n{line}: {message}\n" if message else f"{line}\n")
    raise SystemExit(128 + by)  # as in shells


def _on_signal(number: int, frame: Any) -> None:
    is_second = _Request.by == signal.SIGINT
    _Request.by = signal.Signals(number)
    if number == signal.SIGINT and (is_second or not _Request.is_deferred):
        _Request.by = None
        raise KeyboardInterrupt
    if not _Request.is_deferred:
        end()
