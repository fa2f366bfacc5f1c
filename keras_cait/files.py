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
    nothing of it remains, nor a folder that was made for it, and what stood at `path`
    before still does.

    Example:
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with replace_when_written(Path(folder, "a.txt")) as temporary:
        ...         _ = temporary.write_text("whole")
        ...     os.listdir(folder)
        ['a.txt']

    """
    new = [folder for folder in path.parents if not folder.exists()]
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(prefix=".writing-", dir=path.parent) as folder:
            temporary = Path(folder, path.name)
            yield temporary
            os.replace(temporary, path)
    except BaseException:
        for folder in new:  # the innermost first; one that holds something stays
            with contextlib.suppress(OSError):
                folder.rmdir()
        raise
