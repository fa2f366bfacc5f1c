"""SIGTERM, which batch systems send before they kill: when it ends a program."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import Any, NoReturn

EXIT_CODE = 128 + signal.SIGTERM  # 143, as shells have it


class _Asked:
    waits = False  # whether someone will look
    came = False


@contextlib.contextmanager
def exits_on_sigterm() -> Iterator[None]:
    """Inside, SIGTERM ends the program with code 143, and with its clean-up done.

    Python's own answer ends it on the spot. Nothing changes outside of the main
    thread, where signals cannot be taken.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _answer)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def sigterm_put_off() -> Iterator[None]:
    """Inside, it ends nothing by itself: `end_if_asked` does, where it may."""
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
    """Whether SIGTERM has come."""
    return _Asked.came


def ask() -> None:
    """As SIGTERM does which came to another worker; whoever looks will see it."""
    _Asked.came = True


def end_if_asked() -> None:
    """Ends the program if SIGTERM has come.

    Raises:
        SystemExit: With code 143.

    """
    if _Asked.came:
        end()


def end() -> NoReturn:
    """Ends the program as SIGTERM does.

    Raises:
        SystemExit: With code 143.

    """
    _Asked.came = False
    raise SystemExit(EXIT_CODE)


def _answer(number: int, frame: Any) -> None:
    _Asked.came = True
    if not _Asked.waits:
        end_if_asked()
