"""Choice of the images to measure on."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from keras_cait.range_check import check_range

PathsByClass = list[list[str]]
"""Paths of the images of each class."""


@dataclass(frozen=True, kw_only=True)
class EvaluationSplit:
    """A split that a data set has, or a part of the training images."""

    # A folder, or a split of TensorFlow Datasets; None: the first split with labels.
    name: str | None = None
    # Part of each class's training images to hold out, above 0 and below 1: for
    # folders without test images.
    fraction: float | None = None
    seed: int = 0  # of the choice of that part

    def __post_init__(self) -> None:
        if self.fraction is None:
            return
        holds = 0 < self.fraction < 1
        check_range(holds, "above 0 and below 1", validation_split=self.fraction)
        if self.name is not None:
            raise ValueError(
                "Test images come from an existing split or from the training images. "
                f"Received: test_split={self.name!r} and "
                f"validation_split={self.fraction}"
            )

    def check_no_fraction(self, source: str) -> None:
        """Raises `ValueError` if a fraction is given for a set with test images."""
        if self.fraction is not None:
            raise ValueError(
                "`validation_split` is for folders without test images. Received: "
                f"validation_split={self.fraction} with {source}"
            )

    def hold_out(
        self, by_class: PathsByClass, class_names: Sequence[str], folder: str | Path
    ) -> tuple[PathsByClass, PathsByClass]:
        """Splits the images of each class into those to train and to measure on.

        The choice follows from the seed and the path of each image in the folder alone:
        it is the same wherever the folder lies, in every program, and for all other
        images when one is added. The fraction is rounded to whole images; at least one
        is held out, and one is left to train on.
        """

        def draw(path: str) -> bytes:
            name = Path(os.path.relpath(path, folder)).as_posix()
            return hashlib.sha256(f"{self.seed}/".encode() + os.fsencode(name)).digest()

        train: PathsByClass = []
        test: PathsByClass = []
        for name, paths in zip(class_names, by_class, strict=True):
            if len(paths) < 2:
                raise ValueError(
                    "`validation_split` needs two images or more of each class. "
                    f"Received: {len(paths)} of {name}"
                )
            number = max(1, round((self.fraction or 0.0) * len(paths)))
            chosen = set(sorted(paths, key=draw)[: min(number, len(paths) - 1)])
            train.append([path for path in paths if path not in chosen])
            test.append([path for path in paths if path in chosen])
        return train, test
