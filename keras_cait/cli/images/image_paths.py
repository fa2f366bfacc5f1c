"""Image files that a user names: files, or folders of files."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from keras_cait.data.image_files import IMAGE_SUFFIXES, images_below, printable


def image_paths(given: Sequence[Path]) -> list[Path]:
    """The files, and the images in the folders and the folders in them, sorted.

    Raises `FileNotFoundError` if one does not exist, `ValueError` if a folder has none.
    """
    return [path for one in given for path in _paths(one)]


def _paths(given: Path) -> Iterator[Path]:
    if not given.exists():
        raise FileNotFoundError(f"No image at {printable(given)}")
    if not given.is_dir():
        yield given
        return
    found = images_below(given)
    if not found:
        raise ValueError(
            f"Expected images, names ending in {', '.join(IMAGE_SUFFIXES)}. Received: "
            f"{printable(given)}, a folder without any."
        )
    yield from map(Path, found)
