"""Writing of files that appear complete or not at all."""

import contextlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

_PREFIX = ".writing-"  # of the temporary folder that a file is written in
_LOCK = ".lock"  # in that folder; locked for as long as its process lives


@contextlib.contextmanager
def replace_when_written(path: Path) -> Iterator[Path]:
    """Gives a temporary path, renamed to `path` on success.

    The temporary name has the same suffixes, from which writers derive formats. After
    an error nothing of it remains, nor a folder that was made for it, and an old file
    at `path` is unchanged. A file gets the permissions of any new file, `0o666` less
    the umask, whatever its writer set. Leftovers of killed processes in the folder
    are removed first; see `sweep_leftovers`. A folder at `path` is replaced only if it
    is empty.
    """
    new = [folder for folder in path.parents if not folder.exists()]
    try:  # a signal may come at any time
        path.parent.mkdir(parents=True, exist_ok=True)
        sweep_leftovers(path.parent)
        with _locked_folder(path.parent) as folder:
            temporary = folder / path.name
            yield temporary
            _set_permissions(temporary, like=folder / _LOCK)
            os.replace(temporary, path)
    except BaseException:
        for folder in new:  # the innermost first; one that holds something stays
            with contextlib.suppress(OSError):
                folder.rmdir()
        raise


def sweep_leftovers(folder: Path) -> None:
    """Removes files that killed processes left half-written in a folder.

    `replace_when_written` holds a lock beside the file that it writes. The system
    releases the lock when the process ends, in whatever way. A file that is still
    locked is being written, perhaps in another container or on another host, and is
    kept. Files that cannot be removed stay, without an error. The folder need not
    exist, and folders inside are not searched.
    """
    for lock in folder.glob(f"{_PREFIX}*/{_LOCK}"):
        with contextlib.suppress(Timeout, OSError), FileLock(lock, timeout=0):
            shutil.rmtree(lock.parent)


@contextlib.contextmanager
def _locked_folder(parent: Path) -> Iterator[Path]:
    """Makes a temporary folder that `sweep_leftovers` does not remove."""
    with tempfile.TemporaryDirectory(
        prefix=_PREFIX, dir=parent, ignore_cleanup_errors=True
    ) as name:
        folder = Path(name)
        unnamed = folder / ".new-lock"
        unnamed.touch()
        with FileLock(unnamed):
            unnamed.rename(folder / _LOCK)  # so the lock is never seen unlocked
            yield folder


def _set_permissions(path: Path, *, like: Path) -> None:
    """Gives a file, or all files of a folder, the permissions of another file.

    Another file shows the umask; reading it with `os.umask` changes it for all threads.
    """
    mode = stat.S_IMODE(like.stat().st_mode)
    for file in (path, *path.rglob("*")):
        if file.is_file():
            file.chmod(mode)
