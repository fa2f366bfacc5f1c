"""Settings of the images: data set, folder and test split."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from keras_cait.command_line.flags import option


@dataclass(frozen=True, kw_only=True)
class ImageSource:
    """Data set or folder of a program, and the images of it to test on."""

    group: ClassVar[str] = "Images"

    dataset: str | None = option(None, '"digits", "cifar10" or any TFDS name')
    data_dir: Path | None = option(
        None, "folder of train/CLASS/* and val or test, or of CLASS/*"
    )
    test_split: str | None = option(
        None, "test folder or TFDS split; by default the first one with labels"
    )
    validation_split: float | None = option(
        None, "test part of each class, for a folder without val and test"
    )
    split_seed: int = option(0, "random seed of --validation-split")
