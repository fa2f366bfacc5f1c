"""Draws the augmented images of the training pipeline as one picture.

    python recipes/show_augmentations.py --data-dir DIR --output sheet.png
    python recipes/show_augmentations.py --data-dir DIR --preset deit3
    python recipes/show_augmentations.py --data-dir DIR --augment none --erasing 0

Each row has one image: the crop for evaluation, then the views of the first training
epochs. The two last rows have the first views of the first and of the last image, mixed
by Mixup and CutMix. DIR holds one folder per class, or train/ and val/ or test/ with
such folders. The flags are those of the training recipes, the defaults DeiT's
(https://arxiv.org/abs/2012.12877, table 9).
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

from keras_cait.data.batches import apply_transforms
from keras_cait.data.images.gray_levels import to_gray_levels
from keras_cait.data.seeds import derive_seed
from keras_cait.data.sources.unreadable_images import name_unreadable_images
from keras_cait.exit_code import exit_code_of
from keras_cait.files import replace_when_written
from keras_cait.preprocessing import Preprocessing
from keras_cait.training.input_pipeline import (
    evaluation_transform,
    images_to_test,
    mixing_of,
    training_transforms,
)
from keras_cait.training.recipes import train_cait, train_deit
from keras_cait.training.settings.flags import (
    flag_names,
    make_settings,
    option,
    parse_flags,
)
from keras_cait.training.settings.image_source import ImageSource
from keras_cait.training.settings.presets import DIGITS, THUMBNAILS
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
class SheetSettings(TrainingSettings, ImageSource):
    """Settings of the picture, and of the augmentation in it."""

    preset: str = option("deit", f"one of {', '.join(PRESETS)}")
    image_size: int = option(224, "side of a view in pixels")
    images: int = option(6, "number of images, one a row")
    columns: int = option(8, "number of views of each image")
    seed: int = option(0, "random seed of the views")
    output: Path = option(Path("augmentations.png"), "the picture")

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("images", "columns", "image_size"):
            self._check(name, getattr(self, name) >= 1, "1 or more")


def draw_rows(settings: SheetSettings) -> np.ndarray:
    """All rows, `(rows, columns + 1, size, size, 3)` uint8."""
    names, images = images_to_test(settings, settings.images)
    shape = (settings.image_size, settings.image_size, 3)
    transforms = training_transforms(settings, shape)
    own = Preprocessing(image_size=shape[:2])
    whole = evaluation_transform(settings, shape, own)
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
    mixing = mixing_of(settings)
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


def write_picture(given: dict[str, Any]) -> str:
    """Writes the picture; returns a line with its path and size."""
    name = given.get("preset", "deit")
    if name not in PRESETS:
        raise ValueError(
            f"--preset must be one of {', '.join(PRESETS)}. Received: {name}"
        )
    preset = {key: value for key, value in PRESETS[name].items() if key != "model"}
    settings = make_settings(SheetSettings, given, preset)
    picture = image_grid(draw_rows(settings))
    with replace_when_written(settings.output) as temporary:
        tf.io.write_file(str(temporary), tf.io.encode_png(picture))
    return f"{settings.output}: {picture.shape[1]} x {picture.shape[0]} pixels"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the recipe; returns the exit code."""
    given = parse_flags(SheetSettings, arguments, description=__doc__ or "")
    return exit_code_of(lambda: write_picture(given), flags=flag_names(SheetSettings))


if __name__ == "__main__":
    sys.exit(main())
