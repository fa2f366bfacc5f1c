"""Steps of a long command, named on a terminal as they begin, with the time left."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from contextvars import ContextVar

from rich.console import Console
from rich.progress import Progress

_SHOWN: ContextVar[bool] = ContextVar("whether steps are shown", default=False)


@contextlib.contextmanager
def steps_shown(shown: bool = True) -> Iterator[None]:
    """Shows the steps inside, if the standard error is a terminal.

    Without this no step is shown; inside of another block steps stay as they are.
    """
    token = _SHOWN.set(_SHOWN.get() or (shown and sys.stderr.isatty()))
    try:
        yield
    finally:
        _SHOWN.reset(token)


def begin_step(name: str) -> None:
    """Names a step whose duration nobody can tell."""
    if _SHOWN.get():
        sys.stderr.write(f"{name} ...\n")
        sys.stderr.flush()


@contextlib.contextmanager
def counted_step(name: str, total: int) -> Iterator[Callable[[], None]]:
    """Shows the time left of a part of a step, and removes it afterwards.

    Yields a function to call after each of `total` equal pieces of work.
    """
    console = Console(stderr=True)
    shown = _SHOWN.get()
    with Progress(console=console, transient=True, disable=not shown) as progress:
        task = progress.add_task(name, total=total)
        yield lambda: progress.advance(task)
