"""Images of each class that are kept from training, to measure on."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

Paths = list[list[str]]
"""Paths of the images of each class."""


def held_out(
    by_class: Paths,
    class_names: Sequence[str],
    folder: str | Path,
    *,
    fraction: float,
    seed: int = 0,
) -> tuple[Paths, Paths]:
    """The images to train on, and those to measure on, of each class.

    Which ones follows from the seed and the path of each image in the folder alone:
    it is the same wherever the folder lies, in every program, and for all other
    images when one is added.

    Args:
        by_class: Paths of the images of each class.
        class_names: Names of the classes.
        folder: Where they lie.
        fraction: Part of each class to measure on, above 0 and below 1. It is rounded
            to whole images, at least one, and one is left to train on.
        seed: Of the choice.

    Returns:
        Two lists, each in the order of `by_class`.

    Raises:
        ValueError: If a class has fewer than two images.

    Example:
        >>> paths = [[f"photos/cat/{n}.jpg" for n in range(10)]]
        >>> train, test = held_out(paths, ["cat"], "photos", fraction=0.2)
        >>> len(train[0]), len(test[0])
        (8, 2)

    """

    def draw(path: str) -> bytes:
        name = Path(os.path.relpath(path, folder)).as_posix()
        return hashlib.sha256(f"{seed}/".encode() + os.fsencode(name)).digest()

    train: Paths = []
    test: Paths = []
    for name, paths in zip(class_names, by_class, strict=True):
        if len(paths) < 2:
            raise ValueError(
                "`validation_split` needs two images or more of each class. Received: "
                f"{len(paths)} of {name}"
            )
        number = min(max(1, round(fraction * len(paths))), len(paths) - 1)
        chosen = set(sorted(paths, key=draw)[:number])
        train.append([path for path in paths if path not in chosen])
        test.append([path for path in paths if path in chosen])
    return train, test
