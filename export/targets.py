"""Where exports go: whole, or not at all, and never over something else."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from keras_cait.files import replace_when_written


@contextlib.contextmanager
def export_target(
    path: Path | str, *, folder: bool = False, overwrite: bool = False
) -> Iterator[Path]:
    """Gives a temporary name for a file or folder, renamed to `path` on success.

    Args:
        path: Where the export is to be; its report stands beside it.
        folder: Whether it is a folder, which may be there if it is empty.
        overwrite: Whether a file that is there is replaced. A folder never is.

    Raises:
        FileExistsError: If something is there.
        OSError: If nothing can be written there.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as parent:
        ...     with export_target(Path(parent, "model.onnx")) as temporary:
        ...         _ = temporary.write_bytes(b"...")
        ...     [path.name for path in Path(parent).iterdir()]
        ['model.onnx']

    """
    path = Path(path)
    if path.is_dir() and (not folder or any(path.iterdir())):
        kind = "folder that holds something" if folder else "folder"
        raise FileExistsError(
            f"The target must be new{', or an empty folder' if folder else ''}. "
            f"Received: {path}, a {kind}. Name another one, or remove it."
        )
    for taken in (path, report_path(path)):
        if taken.is_file() and (folder or not overwrite):
            advice = "remove it" if folder else "overwrite it (`overwrite=True`)"
            raise FileExistsError(
                f"The target must be new. Received: {path}, where {taken.name} is "
                f"already. Name another one, or {advice}."
            )
    if report_path(path).is_dir():
        raise FileExistsError(
            f"The report is written beside the export. Received: {path}, where "
            f"{report_path(path).name} is a folder. Name another target."
        )
    with contextlib.ExitStack() as stack:
        try:
            temporary = stack.enter_context(replace_when_written(path))
        except OSError as error:
            raise type(error)(
                f"Nothing can be written at {path}: {error.strerror}. Name a target in "
                "a folder that is yours."
            ) from error
        yield temporary


def report_path(path: Path) -> Path:
    """Where the report of an export stands: `model.tflite` has `model.tflite.json`."""
    return path.with_name(path.name + ".json")
