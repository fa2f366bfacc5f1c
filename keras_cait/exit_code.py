"""What a program says, and leaves with, when its user has made a mistake."""

import sys
import textwrap
from collections.abc import Callable

_LONGEST = 1000  # characters of an error; one may name all weights of a model


def exit_code_of(work: Callable[[], str]) -> int:
    """Runs what a command line asks for, and prints its last line, if it has one.

    Returns:
        0, or 2 after what its user can mend, which is said in one line.

    Example:
        >>> exit_code_of(lambda: "done")
        done
        0

    """
    try:
        last_line = work()
    except (ValueError, OSError, ImportError, FloatingPointError) as error:
        line = textwrap.shorten(str(error), _LONGEST, placeholder=" ...")
        sys.stderr.write(f"error: {line}\n")
        return 2
    if last_line:
        sys.stdout.write(f"{last_line}\n")
    return 0
