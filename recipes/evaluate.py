r"""Measures a model on images: top-1, top-5, each class, and its speed.

    python recipes/evaluate.py --model deit_tiny_patch16_224 --weights imagenet \
        --data-dir imagenet/val
    python recipes/evaluate.py --weights run/model.keras --dataset cifar10
    python recipes/evaluate.py --model CaiT_XXS24 --weights cait.safetensors \
        --data-dir photos/test --per-class

DIR holds a folder a class, or train/ and val/ or test/ with them; sorted by name,
class folders are class indices, those of train/ where it lies beside the images. How
images are prepared follows from the model, unless a flag says otherwise: the shorter
side is resized to image size / crop percentage, the centre is cropped, and
(x / 255 - mean) / std follows. --validation-split takes the images of a folder that a
training with the same flag left for it.

Papers: the tables' top-1 accuracy. The official code evaluates DeiT with
--crop-pct 0.875, timm's configurations with 0.9; CaiT with 1.0.

The last line of the standard output is a JSON object: top1, top5 (in percent),
images, images_per_second; for a distilled model those of both heads too.
"""

import contextlib
import importlib
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

with contextlib.suppress(ImportError):  # there when this file is run as it is
    importlib.import_module("quiet")

import keras
import numpy as np

import keras_cait
from keras_cait import Preprocessing
from keras_cait.data.batches import evaluation_batches
from keras_cait.data.datasets import load_test_images
from keras_cait.data.evaluation_view import EvaluationView
from keras_cait.data.unreadable import naming_unreadable
from keras_cait.exit_code import exit_code_of
from keras_cait.models.preprocessing import own_preprocessing, takes_pixels
from keras_cait.models.registry import find_variant
from keras_cait.models.saved_models import load_saved_model
from keras_cait.training.configuration import (
    flags_of,
    make_config,
    parse_flags,
    setting,
    to_json,
)
from keras_cait.training.evaluation import Answers, answers, every_output

Channels = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class Config:
    """What is measured, and how images are prepared for it."""

    model: str | None = setting(None, "a builder's or timm's name; none for .keras")
    weights: str = setting("imagenet", "imagenet, hf://owner/repo, or a file")
    dataset: str | None = setting(None, '"digits", "cifar10" or any TFDS name')
    test_split: str | None = setting(
        None, "folder or TFDS split to take; the first with labels"
    )
    validation_split: float | None = setting(
        None, "part of each class of a folder to take: what training did not see"
    )
    split_seed: int = setting(0, "of the choice of that part")
    data_dir: Path | None = setting(None, "folder of CLASS/*, or of val/ or test/")
    image_size: int | None = setting(None, "side in pixels; the model's own")
    crop_pct: float | None = setting(None, "part of the side; the model's own")
    interpolation: Literal["bicubic", "bilinear"] | None = setting(None, "of resizing")
    mean: Channels | None = setting(None, "of each channel of images in [0, 1]")
    std: Channels | None = setting(None, "standard deviation likewise")
    batch_size: int = setting(64, "images a step")
    limit: int | None = setting(None, "at most so many images, drawn at random")
    per_class: bool = setting(False, "print the accuracy of each class")

    def __post_init__(self) -> None:
        if self.model is None and not self.weights.endswith(".keras"):
            raise ValueError(
                "--model must be named, unless --weights is a .keras file that says "
                f"it. Received: --weights {self.weights}"
            )
        for name in ("batch_size", "limit", "image_size"):
            value = getattr(self, name)
            if value is not None and value < 1:
                flag = "--" + name.replace("_", "-")
                raise ValueError(f"{flag} must be 1 or more. Received: {value}")


def evaluate(config: Config) -> dict[str, Any]:
    """Measures, prints what was asked for and returns the results."""
    class_names, images = load_test_images(
        config.dataset,
        data_dir=config.data_dir,
        limit=config.limit,
        test_split=config.test_split,
        validation_split=config.validation_split,
        split_seed=config.split_seed,
    )
    model = load_model(config, len(class_names))
    preprocessing = _preprocessing(config, model)
    print(to_json(vars(config) | {"preprocessing": preprocessing}), flush=True)
    view = EvaluationView(
        image_size=preprocessing.size,
        crop_pct=preprocessing.crop_pct,
        interpolation=preprocessing.interpolation,
    )
    batches = evaluation_batches(images, view, config.batch_size)
    if not takes_pixels(model) or config.mean or config.std:
        mean, std = (
            255 * np.array(preprocessing.mean),
            255 * np.array(preprocessing.std),
        )
        mean, std = mean.astype("float32"), std.astype("float32")
        batches = batches.map(lambda x, y: ((x - mean) / std, y))
    with naming_unreadable(lambda: [(images, images.in_order())]):
        found = answers(every_output(model), batches)
    if config.per_class:
        print(_table(found, class_names))
    results: dict[str, Any] = {}
    for name in found.best:
        prefix = "" if name == "output" else name.replace(" ", "_") + "_"
        results[f"{prefix}top1"] = round(100 * found.accuracy(name), 3)
        results[f"{prefix}top5"] = round(100 * found.accuracy(name, top=5), 3)
    return results | {
        "images": len(found.labels),
        "images_per_second": round(found.images_per_second, 1),
    }


def load_model(config: Config, classes: int) -> keras.Model:
    """The model with its weights, all of which must fit.

    Raises:
        ValueError: If there is no such model, or the weights are not for it or for
            so many classes.
        FileNotFoundError: If there is no such file.

    """
    if config.model is None:
        model = load_saved_model(config.weights)
        shapes = [tuple(x.shape) for x in getattr(model, "outputs", None) or ()]
        if len(shapes) != 1 or len(shapes[0]) != 2:
            raise ValueError(
                "The model must be a functional classifier with one output, (batch, "
                f"classes). Received: {config.weights}, which has "
                f"{shapes or 'no graph'}."
            )
        if shapes[0][-1] != classes:
            raise ValueError(
                f"The model must know the {classes} classes of the data. Received: "
                f"{config.weights} with {shapes[0][-1]} classes."
            )
        return model
    find_variant(config.model)  # a name that there is not comes first
    size: dict[str, Any] = {}
    if config.image_size is not None:
        size["input_shape"] = (config.image_size, config.image_size, 3)
    weights: Any = config.weights
    if weights != "imagenet":
        model = keras_cait.create_model(
            config.model, weights=None, classes=classes, **size
        )
        keras_cait.load_weights(model, weights)
        return model
    if classes != 1000:
        raise ValueError(
            "The published weights know ImageNet's 1000 classes. Received: images of "
            f"{classes} classes. Name other weights with --weights."
        )
    return keras_cait.create_model(config.model, **size)


def _preprocessing(config: Config, model: keras.Model) -> Preprocessing:
    """The model's own, but for what a flag says."""
    known = own_preprocessing(model)
    if config.model is not None:  # two published files may be of one model and size
        named = keras_cait.preprocessing_for(config.model)
        known = replace(named, image_size=known.image_size)
    given = {
        name: getattr(config, name)
        for name in ("crop_pct", "interpolation", "mean", "std")
        if getattr(config, name) is not None
    }
    return replace(known, **given)


def _table(found: Answers, class_names: Sequence[str]) -> str:
    rates = found.accuracy_by_class("output", len(class_names))
    counts = np.bincount(found.labels, minlength=len(class_names))
    width = max(len(name) for name in class_names)
    rows = [
        f"{name:{width}} {100 * rate:6.2f} % of {count}"
        for name, rate, count in zip(class_names, rates, counts, strict=True)
    ]
    return "\n".join(rows)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the recipe; returns the exit code."""
    given = parse_flags(Config, arguments, description=__doc__ or "")
    return exit_code_of(
        lambda: json.dumps(evaluate(make_config(Config, given))),
        flags=flags_of(Config),
    )


if __name__ == "__main__":
    sys.exit(main())
