"""A stand-in for the runtime's files, where no browser runs them, and small pages."""

from pathlib import Path

from keras_cait.export.web.runtime import FILES


def runtime_folder(folder: Path) -> Path:
    """A folder with files of the names that the npm package has."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES.values():
        (folder / name).write_text(f"{name} of a test")
    return folder
