"""Draws the augmented images of the training pipeline as one picture.

    python recipes/show_augmentations.py --data-dir DIR --output sheet.png
    python recipes/show_augmentations.py --data-dir DIR --preset deit3
    python recipes/show_augmentations.py --data-dir DIR --augment none --erasing 0

Each row has one image: the crop for evaluation, then the views of the first training
epochs. Below are a row of Mixup and one of CutMix: two views of different images, with
the weights of their labels. DIR holds one folder per class, or train/ and val/ or test/
with such folders. The flags are those of the training recipes, the defaults DeiT's
(https://arxiv.org/abs/2012.12877, table 9).
"""

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported

import keras_cait_command  # first: then keras_cait does not import Keras
from keras_cait.command_line.exit_code import exit_code_of
from keras_cait.command_line.flags import flag_names, make_settings, option
from keras_cait.files import replace_when_written
from keras_cait.preprocessing import Preprocessing
from keras_cait.training.recipes import train_cait, train_deit
from keras_cait.training.settings.image_source import ImageSource
from keras_cait.training.settings.presets import DIGITS, THUMBNAILS
from keras_cait.training.settings.training_settings import TrainingSettings

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


def draw_sheet(settings: SheetSettings) -> Any:
    """All rows with their captions, as a matplotlib figure."""
    # Here, so that --help answers at once.
    import tensorflow as tf

    from keras_cait.data.batches import apply_transforms
    from keras_cait.data.images.gray_levels import to_gray_levels
    from keras_cait.data.seeds import derive_seed
    from keras_cait.data.sources.unreadable_images import name_unreadable_images
    from keras_cait.training.input_pipeline import (
        evaluation_transform,
        images_to_test,
        training_transforms,
    )
    from keras_cait.visualization.image_grid import draw_image_grid

    names, images = images_to_test(settings, settings.images)
    shape = (settings.image_size, settings.image_size, 3)
    transforms = training_transforms(settings, shape)
    own = Preprocessing(image_size=shape[:2])
    whole = evaluation_transform(settings, shape, own)
    rows, captions, labels = [], [], []
    with name_unreadable_images(images):
        for number, key in enumerate(images.in_order()):
            record, label = images.read(key)
            seeds = (
                derive_seed(settings.seed, 1, n, number)
                for n in range(settings.columns)
            )
            seen = [apply_transforms(record, transforms, seed) for seed in seeds]
            rows.append([tf.cast(whole(record), "float32"), *seen])
            epochs = [f"epoch {n + 1}" for n in range(settings.columns)]
            captions.append([f"{names[int(label)]}, evaluation", *epochs])
            labels.append(label)
    mixed = list(_mixed_rows(settings, rows, labels, names)) if len(rows) > 1 else []
    rows += [row for row, _ in mixed]
    captions += [texts for _, texts in mixed]
    pixels = tf.stack([tf.stack(row) for row in rows])
    return draw_image_grid(to_gray_levels(pixels).numpy(), captions)


def _mixed_rows(
    settings: SheetSettings, rows: list[Any], labels: list[Any], names: Sequence[str]
) -> Iterator[tuple[list[Any], list[str]]]:
    """Pairs of views mixed by Mixup and by CutMix, a row each, and their captions."""
    import tensorflow as tf

    from keras_cait.data.mixing import Mixing
    from keras_cait.data.seeds import derive_seed

    kinds = {"Mixup": (settings.mixup, 0.0), "CutMix": (0.0, settings.cutmix)}
    for number, (kind, alphas) in enumerate(kinds.items()):
        if not any(alphas):
            continue
        mixing = Mixing(
            mixup_alpha=alphas[0],
            cutmix_alpha=alphas[1],
            label_smoothing=settings.smoothing,
        )
        pixels, captions = [], []
        for cell in range(settings.columns + 1):
            first = cell % len(rows)
            other = 1 + cell // len(rows) % (len(rows) - 1)
            pair = [first, (first + other) % len(rows)]
            view = 1 + cell % settings.columns  # before it stands the evaluation crop
            images, targets = mixing(
                tf.stack([rows[index][view] for index in pair]),
                tf.stack([labels[index] for index in pair]),
                derive_seed(settings.seed, 2, number, cell),
                len(names),
            )
            classes = dict.fromkeys(int(labels[index]) for index in pair)
            weights = [f"{100 * targets[0, i]:.0f}\xa0% {names[i]}" for i in classes]
            pixels.append(images[0])
            captions.append(f"{kind}: {', '.join(weights)}")
        yield pixels, captions


def write_picture(given: dict[str, Any]) -> str:
    """Writes the picture; returns a line with its path and size."""
    name = given.get("preset", "deit")
    if name not in PRESETS:
        raise ValueError(
            f"--preset must be one of {', '.join(PRESETS)}. Received: {name}"
        )
    preset = {key: value for key, value in PRESETS[name].items() if key != "model"}
    settings = make_settings(SheetSettings, given, preset)
    figure = draw_sheet(settings)
    with replace_when_written(settings.output) as temporary:
        figure.savefig(temporary, format="png")
    width, height = figure.get_size_inches() * figure.dpi
    return f"{settings.output}: {width:.0f} x {height:.0f} pixels"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the recipe; returns the exit code."""
    given = keras_cait_command.parse_flags(
        SheetSettings, arguments, description=__doc__ or ""
    )
    return exit_code_of(lambda: write_picture(given), flags=flag_names(SheetSettings))


if __name__ == "__main__":
    sys.exit(main())
