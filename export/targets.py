"""Where exports go: whole, or not at all, and never over something else."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from keras_cait.files import replace_when_written


@contextlib.contextmanager
def export_target(path: Path | str, *, overwrite: bool = False) -> Iterator[Path]:
    """Gives a temporary name for a file or folder, renamed to `path` on success.

    Args:
        path: Where the export is to be.
        overwrite: Whether a file that is there is replaced. A folder never is.

    Raises:
        FileExistsError: If something is there.
        OSError: If nothing can be written there.

    """
    path = Path(path)
    if path.is_dir() and any(path.iterdir()):
        raise FileExistsError(
            f"The target must be new, or an empty folder. Received: {path}, which "
            "holds something. Name another one, or remove it."
        )
    if path.is_file() and not overwrite:
        raise FileExistsError(
            f"The target must be new. Received: {path}, which is there. Name another "
            "one, or ask for overwriting."
        )
    with replace_when_written(path) as temporary:
        yield temporary
