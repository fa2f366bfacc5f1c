"""Target of an export: written completely or not at all, never over other files."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from keras_cait.files import replace_when_written


class ExportTarget(NamedTuple):
    """Temporary paths of an export."""

    artifact: Path
    report: Path


@contextlib.contextmanager
def export_target(
    path: Path | str, *, suffix: str | None = None, overwrite: bool = False
) -> Iterator[ExportTarget]:
    """Yields temporary paths for an export and its report, both renamed on success.

    A suffix of None stands for a folder, which may exist only if it is empty and is
    never replaced.
    """
    path = Path(path)
    check_target(path, suffix=suffix, overwrite=overwrite)
    with contextlib.ExitStack() as stack:
        try:
            # The last one entered is renamed first: no report without its export.
            report = stack.enter_context(replace_when_written(report_path(path)))
            artifact = stack.enter_context(replace_when_written(path))
        except OSError as error:
            raise type(error)(
                f"Nothing can be written at {path}: {error.strerror}. Name a target in "
                "a folder that is yours."
            ) from error
        yield ExportTarget(artifact, report)


def check_target(
    path: Path, *, suffix: str | None = None, overwrite: bool = False
) -> None:
    """Raises if the target of an export exists or has another suffix."""
    if suffix is not None and path.suffix != suffix:
        raise ValueError(f"The file's name must end in {suffix}. Received: {path}")
    folder = suffix is None
    if path.is_dir() and (not folder or any(path.iterdir())):
        kind = "folder that is not empty" if folder else "folder"
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


def report_path(path: Path) -> Path:
    """Path of the report: `model.tflite.json` beside `model.tflite`."""
    return path.with_name(path.name + ".json")
