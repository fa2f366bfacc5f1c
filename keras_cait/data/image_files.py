"""Image files of class folders, and a warning that names other files."""

import collections
import os
import stat
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

IMAGE_SUFFIXES = (".bmp", ".gif", ".jfif", ".jpeg", ".jpg", ".png", ".webp")
"""Suffixes of the files that TensorFlow decodes."""

_IGNORED = frozenset({"thumbs.db", "desktop.ini"})  # written by file managers
_NAMED = 3  # files that a warning names
_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


def class_folders(folder: Path) -> list[str]:
    """Names of the folders in a folder, sorted; hidden ones are left out.

    A name must be valid UTF-8, since models store class names in it.
    """
    names = sorted(
        entry.name
        for entry in Path(folder).iterdir()
        if entry.is_dir() and not entry.name.startswith(".")
    )
    for name in names:
        if printable(name) != name:
            raise ValueError(
                "The name of a class folder must be valid UTF-8. Received: "
                f"{printable(name)} in {printable(folder)}. Rename it."
            )
    return names


def image_files(folder: Path, class_names: Sequence[str]) -> list[list[str]]:
    """Paths of the images of each class, sorted, in its folder and the folders in it.

    Files without the suffix of an image are left out, with one warning that names and
    counts them. Hidden files are left out silently.
    """
    by_class: list[list[str]] = []
    left_out: list[str] = []
    for name in class_names:
        top = os.path.join(folder, name)
        images: list[str] = []
        for entry in _entries(top) if os.path.isdir(top) else ():
            if entry.name.lower().endswith(IMAGE_SUFFIXES):
                _check_file(entry)
                images.append(entry.path)
            elif entry.name.lower() not in _IGNORED:
                left_out.append(entry.path)
        by_class.append(sorted(images))
    if left_out:
        warnings.warn(_left_out_message(folder, sorted(left_out)), stacklevel=2)
    return by_class


def images_below(folder: Path) -> list[str]:
    """Paths of the images in a folder and the folders in it, sorted."""
    return image_files(folder, [""])[0]


def printable(path: str | Path) -> str:
    """A path as printable text, also if its bytes are not UTF-8."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _entries(folder: str) -> Iterator[os.DirEntry[str]]:
    """All files below a folder but hidden ones, and folders with an image's name."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            is_image = entry.name.lower().endswith(IMAGE_SUFFIXES)
            if entry.is_dir(follow_symlinks=False) and not is_image:
                yield from _entries(entry.path)
            else:
                yield entry


def _check_file(entry: os.DirEntry[str]) -> None:
    """Raises `ValueError` if an entry with an image's name is not a readable file."""
    if entry.is_file():
        reason = "" if os.access(entry, os.R_OK) else "which may not be read"
    else:
        reason = "which is " + _kind_of(entry.path)
    if reason:
        raise ValueError(
            "Expected an image in every file that ends in "
            f"{', '.join(IMAGE_SUFFIXES)}. Received: {printable(entry.path)}, "
            f"{reason}. Replace or remove it."
        )


def _kind_of(path: str) -> str:
    try:
        return _KINDS.get(stat.S_IFMT(os.stat(path).st_mode), "no regular file")
    except OSError:
        return "a link to nothing"


def _left_out_message(folder: Path, paths: list[str]) -> str:
    """Warning about files without the suffix of an image."""
    kinds = collections.Counter(
        os.path.splitext(path)[1].lower() or "without suffix" for path in paths
    )
    counts = ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items()))
    first = [printable(os.path.relpath(path, folder)) for path in paths[:_NAMED]]
    named = ", ".join([*first, "..."] if len(paths) > _NAMED else first)
    number = "1 file" if len(paths) == 1 else f"{len(paths)} files"
    return (
        f"{number} in {printable(folder)} {'is' if len(paths) == 1 else 'are'} left "
        f"out, because names of images must end in {', '.join(IMAGE_SUFFIXES)}: "
        f"{counts} ({named}). Convert images of other types, for example to PNG."
    )
