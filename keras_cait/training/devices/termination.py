"""How a run ends after SIGTERM, which batch systems send first, and after Ctrl-C."""

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any, NoReturn

_WORDS = {signal.SIGTERM: "terminated", signal.SIGINT: "interrupted"}


class _Asked:
    waits = False  # whether someone will look
    by: signal.Signals | None = None  # the signal that came


@contextlib.contextmanager
def exits_on_signals() -> Iterator[None]:
    """Inside, SIGTERM ends the program with code 143, and with its clean-up done.

    Python's own answer ends it on the spot. Ctrl-C (SIGINT) raises KeyboardInterrupt,
    as ever. Nothing changes outside of the main thread, where signals cannot be taken.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, _answer) for number in _WORDS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def signals_put_off() -> Iterator[None]:
    """Inside, they end nothing by themselves: `end_if_asked` does, where it may.

    Only the second Ctrl-C does, at once.
    """
    _Asked.waits = True
    try:
        yield
    finally:
        _Asked.waits = False
    end_if_asked()


@contextlib.contextmanager
def sigterm_kept() -> Iterator[None]:
    """Gives SIGTERM back to who had it, after what takes it without saying so.

    TensorFlow and JAX do where there are many workers, and then nothing ends them.
    """
    yield
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGTERM))


def is_asked() -> bool:
    """Whether SIGTERM or Ctrl-C has come."""
    return _Asked.by is not None


def ask() -> None:
    """As a signal does which came to another worker; whoever looks will see it."""
    _Asked.by = _Asked.by or signal.SIGTERM


def end_if_asked() -> None:
    """Ends the program if SIGTERM or Ctrl-C has come.

    Raises:
        SystemExit: With code 143 or 130.

    """
    if is_asked():
        end()


def end(message: str = "") -> NoReturn:
    """Ends the program as SIGTERM does, or Ctrl-C if that has come.

    Args:
        message: What is printed, besides which of them it was.

    Raises:
        SystemExit: With code 143 or 130.

    """
    by, _Asked.by = _Asked.by or signal.SIGTERM, None
    line = f"error: {_WORDS[by]}"
    sys.stderr.write(f"\n{line}: {message}\n" if message else f"{line}\n")
    raise SystemExit(128 + by)  # as shells have it


def _answer(number: int, frame: Any) -> None:
    again = _Asked.by == signal.SIGINT
    _Asked.by = signal.Signals(number)
    if number == signal.SIGINT and (again or not _Asked.waits):
        _Asked.by = None
        raise KeyboardInterrupt
    if not _Asked.waits:
        end()
