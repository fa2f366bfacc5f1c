"""Files that appear whole or not at all."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def replace_when_written(path: Path) -> Iterator[Path]:
    """Gives a temporary name beside `path`, renamed to `path` on success.

    The temporary name keeps the suffixes, which writers go by. After an error
    nothing of it remains, and what stood at `path` before still does.

    Example:
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with replace_when_written(Path(folder, "a.txt")) as temporary:
        ...         _ = temporary.write_text("whole")
        ...     os.listdir(folder)
        ['a.txt']

    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".writing-", dir=path.parent) as folder:
        temporary = Path(folder, path.name)
        yield temporary
        os.replace(temporary, path)
