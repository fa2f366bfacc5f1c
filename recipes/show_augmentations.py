"""Draws the augmented images of the training pipeline in one picture.

    python recipes/show_augmentations.py --data-dir DIR --output sheet.png
    python recipes/show_augmentations.py --data-dir DIR --preset deit3
    python recipes/show_augmentations.py --data-dir DIR --augment none --erasing 0

Each row begins with an image after the evaluation transform, followed by the image
after random training transforms. The two rows below mix the first augmented images of
the first and of the last row by Mixup and CutMix, as batches are. DIR holds a folder
for each class, or train/ and val/ or test/ with them. Flags are those of the training
recipes, defaults DeiT's (https://arxiv.org/abs/2012.12877, table 9).
"""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported

import numpy as np
import tensorflow as tf
import train_cait
import train_deit

from keras_cait.data.batches import apply_transforms
from keras_cait.data.images.gray_levels import to_gray_levels
from keras_cait.data.seeds import derive_seed
from keras_cait.data.sources.load import load_test_images
from keras_cait.data.sources.unreadable_images import name_unreadable_images
from keras_cait.exit_code import exit_code_of
from keras_cait.files import replace_when_written
from keras_cait.preprocessing import Preprocessing
from keras_cait.training.settings.flags import (
    flag_names,
    make_settings,
    option,
    parse_flags,
)
from keras_cait.training.settings.presets import DIGITS, THUMBNAILS, without_model
from keras_cait.training.settings.training_settings import TrainingSettings
from keras_cait.visualization.image_grid import image_grid

_MIXED_ROWS = 2
PRESETS = {
    "deit": train_deit.IMAGENET,
    "cait": train_cait.IMAGENET,
    "deit3": train_deit.DEIT3,
    "thumbnails": THUMBNAILS,
    "digits": DIGITS,
}


@dataclass(frozen=True, kw_only=True)
class SheetSettings(TrainingSettings):
    """What is shown, and through which views."""

    preset: str = option("deit", f"one of {', '.join(PRESETS)}")
    data_dir: Path | None = option(None, "folder of CLASS/*, or of val/ or test/")
    dataset: str | None = option(None, '"digits", "cifar10" or any TFDS name')
    test_split: str | None = option(
        None, "folder or TFDS split to take; the first with labels"
    )
    validation_split: float | None = option(
        None, "part of each class of a folder to take: what training did not see"
    )
    split_seed: int = option(0, "of the choice of that part")
    image_size: int = option(224, "side of a view in pixels")
    images: int = option(6, "rows: images to show")
    columns: int = option(8, "columns: views of each image")
    seed: int = option(0, "of the views")
    output: Path = option(Path("augmentations.png"), "the picture")

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("images", "columns", "image_size"):
            self._check(name, getattr(self, name) >= 1, "1 or more")


def sheet(settings: SheetSettings) -> np.ndarray:
    """All rows, `(rows, columns + 1, size, size, 3)` uint8."""
    names, images = load_test_images(
        settings.dataset,
        data_dir=settings.data_dir,
        limit=settings.images,
        test_split=settings.test_split,
        validation_split=settings.validation_split,
        split_seed=settings.split_seed,
    )
    shape = (settings.image_size, settings.image_size, 3)
    transforms = settings.training_transforms(shape)
    whole = settings.evaluation_transform(shape, Preprocessing(image_size=shape[:2]))
    rows, labels = [], []
    with name_unreadable_images(images):
        for number, key in enumerate(images.in_order()):
            record, label = images.read(key)
            seeds = (
                derive_seed(settings.seed, 1, n, number)
                for n in range(settings.columns)
            )
            seen = [apply_transforms(record, transforms, seed) for seed in seeds]
            rows.append([tf.cast(whole(record), "float32"), *seen])
            labels.append(int(label))
    mixing = settings.mixing()
    if mixing is not None and (settings.mixup or settings.cutmix):
        firsts = tf.stack([row[1] for row in rows])
        for number in range(_MIXED_ROWS):
            blank = tf.fill(firsts.shape[1:], 255.0)
            mixed = [
                mixing(
                    firsts,
                    tf.constant(labels),
                    derive_seed(settings.seed, 2, n),
                    len(names),
                )
                for n in range(
                    number * settings.columns, (number + 1) * settings.columns
                )
            ]
            rows.append([blank, *(batch[-number] for batch, _ in mixed)])
    pixels = tf.stack([tf.stack(row) for row in rows])
    return to_gray_levels(pixels).numpy()


def show(given: dict[str, Any]) -> str:
    """Draws the sheet that the flags ask for; returns what to say of it."""
    name = given.get("preset", "deit")
    if name not in PRESETS:
        raise ValueError(
            f"--preset must be one of {', '.join(PRESETS)}. Received: {name}"
        )
    settings = make_settings(SheetSettings, given, without_model(PRESETS[name]))
    picture = image_grid(sheet(settings))
    with replace_when_written(settings.output) as temporary:
        tf.io.write_file(str(temporary), tf.io.encode_png(picture))
    return f"{settings.output}: {picture.shape[1]} x {picture.shape[0]} pixels"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the recipe; returns the exit code."""
    given = parse_flags(SheetSettings, arguments, description=__doc__ or "")
    return exit_code_of(lambda: show(given), flags=flag_names(SheetSettings))


if __name__ == "__main__":
    sys.exit(main())
