r"""Measures a model on images: top-1, top-5, each class, and its speed.

    python recipes/evaluate.py --model deit_tiny_patch16_224 --weights imagenet \
        --data-dir imagenet/val
    python recipes/evaluate.py --weights run/model.keras --dataset cifar10
    python recipes/evaluate.py --model CaiT_XXS24 --weights cait.safetensors \
        --data-dir photos/test --per-class

DIR holds a folder a class, or train/ and val/ or test/ with them. A class is the
model's of the same name, where the model keeps names (ImageNet's by their WordNet ids
too); otherwise, and with --match index, class folders sorted by name are class indices,
those of train/ where it lies beside the images. How images are prepared follows from
the model, unless a flag says otherwise: the shorter side is resized to image size /
crop percentage, the center is cropped, and (x / 255 - mean) / std follows.
--validation-split takes the images of a folder that a training with the same flag left
for it.

Papers: the tables' top-1 accuracy. The official code evaluates DeiT with
--crop-pct 0.875, timm's configurations with 0.9; CaiT with 1.0.

The last line of the standard output is a JSON object: top1, top5 (in percent),
images, images_per_second; for a distilled model those of both heads too.
"""

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported

import keras
import numpy as np
import tensorflow as tf

import keras_cait
from keras_cait import Preprocessing, class_names_of
from keras_cait.data.batches import evaluation_batches
from keras_cait.data.images.evaluation_transform import EvaluationTransform
from keras_cait.data.sources.load import load_test_images
from keras_cait.data.sources.unreadable_images import name_unreadable_images
from keras_cait.exit_code import exit_code_of
from keras_cait.models.classes.imagenet_classes import imagenet_names
from keras_cait.models.classes.order import outputs_of_classes
from keras_cait.models.pixel_inputs import takes_pixels
from keras_cait.models.published.preprocessing import preprocessing_or_default
from keras_cait.models.published.rebuilding import rebuild
from keras_cait.models.published.registry import find_variant, model_with_weights
from keras_cait.models.published.saved_models import load_saved_model
from keras_cait.training.evaluation import Predictions, named_outputs, predict
from keras_cait.training.settings.configuration import (
    flags_of,
    make_config,
    parse_flags,
    setting,
    to_json,
)
from keras_cait.weights.load import check_source
from keras_cait.weights.metadata.class_count import read_class_count
from keras_cait.weights.metadata.model_metadata import all_layers

Channels = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class Config:
    """What is measured, and how images are prepared for it."""

    model: str | None = setting(
        None, "a builder's or timm's name; a .keras file says its own"
    )
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
    match: Literal["name", "index"] = setting(
        "name", "by which the classes of images and model are matched"
    )
    image_size: int | None = setting(None, "side in pixels; the model's own")
    crop_pct: float | None = setting(None, "part of the side; the model's own")
    interpolation: Literal["bicubic", "bilinear"] | None = setting(None, "of resizing")
    mean: Channels | None = setting(
        None, "of each channel of images in [0, 1]; the model's own"
    )
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
    model = load_model(config, class_names)
    names, classes = class_names_of(model), model.output_shape[-1]
    outputs = _outputs(config, class_names, names, classes)
    preprocessing = replace(preprocessing_or_default(model), **_overrides(config))
    print(to_json(vars(config) | {"preprocessing": preprocessing}), flush=True)
    channels = len(preprocessing.mean)
    transform = EvaluationTransform.from_preprocessing(
        preprocessing, channels=channels if channels in (1, 3) else None
    )
    batches = evaluation_batches(images, transform, config.batch_size)
    scale, offset = _normalization(config, model, preprocessing)
    order = np.array(outputs)
    batches = batches.map(lambda x, y: (x * scale + offset, tf.gather(order, y)))
    with name_unreadable_images(images):
        found = predict(named_outputs(model), batches)
    if config.per_class:
        print(_table(found, class_names, outputs))
    results: dict[str, Any] = {}
    for name in found.top_classes:
        prefix = "" if name == "output" else name.replace(" ", "_") + "_"
        results[f"{prefix}top1"] = round(100 * found.accuracy(name), 3)
        results[f"{prefix}top5"] = round(100 * found.accuracy(name, top=5), 3)
    return results | {
        "images": len(found.labels),
        "images_per_second": round(found.images_per_second, 1),
    }


def load_model(config: Config, class_names: Sequence[str]) -> keras.Model:
    """The model with its weights, all of which must fit.

    Raises:
        ValueError: If there is no such model, or the weights are not for it or, where
            nothing tells their classes, for as many as the data's.
        FileNotFoundError: If there is no such file.

    """
    classes = len(class_names)
    size: dict[str, Any] = {}
    if config.image_size is not None:
        size["input_shape"] = (config.image_size, config.image_size, 3)
    if config.model is None:
        return _load_file(config)
    find_variant(config.model)  # a name that there is not comes first
    if config.weights == "imagenet":
        classes = 1000
        try:  # before a download
            _outputs(config, class_names, imagenet_names(), classes)
        except ValueError as error:
            raise ValueError(
                "The published weights know ImageNet's 1000 classes. Received: images "
                f"of {len(class_names)} classes. {error} Name other weights with "
                "--weights."
            ) from error
    else:
        check_source(config.weights)
        classes = read_class_count(config.weights) or classes
    return model_with_weights(
        config.model,
        config.weights,
        preprocessing_overrides=_overrides(config),
        classes=classes,
        **size,
    )


def _load_file(config: Config) -> keras.Model:
    """The model of a `.keras` file, at the size that a flag says."""
    path = Path(config.weights)
    model = load_saved_model(path)
    shapes = [tuple(x.shape) for x in getattr(model, "outputs", None) or ()]
    if len(shapes) != 1 or len(shapes[0]) != 2:
        raise ValueError(
            "The model must be a functional classifier with one output, (batch, "
            f"classes). Received: {path}, which has {shapes or 'no graph'}."
        )
    if config.image_size is None:
        return model
    size = (config.image_size, config.image_size)
    if model.input_shape[1:3] in (size, (None, None)):
        return model
    classes = model.output_shape[-1]
    shape = (*size, model.input_shape[-1])
    try:
        return rebuild(path, input_shape=shape, classes=classes)
    except ValueError as error:
        raise ValueError(
            f"--image-size is for transformers of this package. Received: {path}, for "
            f"images {model.input_shape[1:3]}, and --image-size {config.image_size}. "
            f"Leave it out. {error}"
        ) from error


def _overrides(config: Config) -> dict[str, Any]:
    """Fields of `Preprocessing` that flags set."""
    names = ("crop_pct", "interpolation", "mean", "std")
    given = {name: getattr(config, name) for name in names}
    return {name: value for name, value in given.items() if value is not None}


def _outputs(
    config: Config,
    class_names: Sequence[str],
    model_names: Sequence[str] | None,
    classes: int,
) -> list[int]:
    """The output of the model for each class of the images."""
    names = model_names if config.match == "name" else None
    try:
        return outputs_of_classes(class_names, names, classes)
    except ValueError as error:
        if names is None:
            raise
        advice = "Rename the folders"
        if classes == len(class_names):
            advice += ", or take them in their order: --match index"
        raise ValueError(f"{error} {advice}.") from error


def _normalization(
    config: Config, model: keras.Model, preprocessing: Preprocessing
) -> tuple[np.ndarray, np.ndarray]:
    """Scale and offset that bring pixels in [0, 255] to what the model takes.

    A model that normalizes by itself gets pixels that it brings to the flags' values.
    """
    scale, offset = np.array(preprocessing.scale), np.array(preprocessing.offset)
    if takes_pixels(model):
        if config.mean is None and config.std is None:
            scale, offset = np.ones_like(scale), np.zeros_like(offset)
        elif (own := _own_statistics(config, model)) is not None:
            scale = 255 * np.array(own.std) * scale
            offset = 255 * (np.array(own.std) * offset + np.array(own.mean))
    return scale.astype("float32"), offset.astype("float32")


def _own_statistics(config: Config, model: keras.Model) -> Preprocessing | None:
    """What a model normalizes with; None if it takes images as flags say."""
    try:
        return keras_cait.preprocessing_for(model)
    except ValueError as error:
        kinds = (keras.layers.Rescaling, keras.layers.Normalization)
        names = [row.name for row in all_layers(model) if isinstance(row, kinds)]
        if names:
            raise ValueError(
                "--mean and --std are for models whose own are known. Received: "
                f"{config.weights}, which normalizes images itself, in {names}. Leave "
                "them out."
            ) from error
        return None


def _table(
    found: Predictions, class_names: Sequence[str], outputs: Sequence[int]
) -> str:
    classes = max(outputs) + 1
    rates = found.accuracy_by_class("output", classes)[outputs]
    counts = np.bincount(found.labels, minlength=classes)[outputs]
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
