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
from keras_cait.training.settings.flags import (
    flag_names,
    make_settings,
    option,
    parse_flags,
)
from keras_cait.training.settings.serialization import to_json
from keras_cait.weights.load import check_source
from keras_cait.weights.metadata.class_count import read_class_count
from keras_cait.weights.metadata.model_metadata import all_layers

Channels = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class EvaluationSettings:
    """What is measured, and how images are prepared for it."""

    model: str | None = option(
        None, "a builder's or timm's name; a .keras file says its own"
    )
    weights: str = option("imagenet", "imagenet, hf://owner/repo, or a file")
    dataset: str | None = option(None, '"digits", "cifar10" or any TFDS name')
    test_split: str | None = option(
        None, "folder or TFDS split to take; the first with labels"
    )
    validation_split: float | None = option(
        None, "part of each class of a folder to take: what training did not see"
    )
    split_seed: int = option(0, "of the choice of that part")
    data_dir: Path | None = option(None, "folder of CLASS/*, or of val/ or test/")
    match: Literal["name", "index"] = option(
        "name", "by which the classes of images and model are matched"
    )
    image_size: int | None = option(None, "side in pixels; the model's own")
    crop_pct: float | None = option(None, "part of the side; the model's own")
    interpolation: Literal["bicubic", "bilinear"] | None = option(None, "of resizing")
    mean: Channels | None = option(
        None, "of each channel of images in [0, 1]; the model's own"
    )
    std: Channels | None = option(None, "standard deviation likewise")
    batch_size: int = option(64, "images a step")
    limit: int | None = option(None, "at most so many images, drawn at random")
    per_class: bool = option(False, "print the accuracy of each class")

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


def evaluate(settings: EvaluationSettings) -> dict[str, Any]:
    """Measures, prints what was asked for and returns the results."""
    class_names, images = load_test_images(
        settings.dataset,
        data_dir=settings.data_dir,
        limit=settings.limit,
        test_split=settings.test_split,
        validation_split=settings.validation_split,
        split_seed=settings.split_seed,
    )
    model = load_model(settings, class_names)
    names, classes = class_names_of(model), model.output_shape[-1]
    outputs = _outputs(settings, class_names, names, classes)
    preprocessing = replace(preprocessing_or_default(model), **_preprocessing_overrides(settings))
    print(to_json(vars(settings) | {"preprocessing": preprocessing}), flush=True)
    channels = len(preprocessing.mean)
    transform = EvaluationTransform.from_preprocessing(
        preprocessing, channels=channels if channels in (1, 3) else None
    )
    batches = evaluation_batches(images, transform, settings.batch_size)
    scale, offset = _normalization(settings, model, preprocessing)
    order = np.array(outputs)
    batches = batches.map(lambda x, y: (x * scale + offset, tf.gather(order, y)))
    with name_unreadable_images(images):
        found = predict(named_outputs(model), batches)
    if settings.per_class:
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


def load_model(settings: EvaluationSettings, class_names: Sequence[str]) -> keras.Model:
    """The model with its weights, all of which must fit.

    Raises:
        ValueError: If there is no such model, or the weights are not for it or, where
            nothing tells their classes, for as many as the data's.
        FileNotFoundError: If there is no such file.

    """
    classes = len(class_names)
    size: dict[str, Any] = {}
    if settings.image_size is not None:
        size["input_shape"] = (settings.image_size, settings.image_size, 3)
    if settings.model is None:
        return _load_file(settings)
    find_variant(settings.model)  # a name that there is not comes first
    if settings.weights == "imagenet":
        classes = 1000
        try:  # before a download
            _outputs(settings, class_names, imagenet_names(), classes)
        except ValueError as error:
            raise ValueError(
                "The published weights know ImageNet's 1000 classes. Received: images "
                f"of {len(class_names)} classes. {error} Name other weights with "
                "--weights."
            ) from error
    else:
        check_source(settings.weights)
        classes = read_class_count(settings.weights) or classes
    return model_with_weights(
        settings.model,
        settings.weights,
        preprocessing_overrides=_preprocessing_overrides(settings),
        classes=classes,
        **size,
    )


def _load_file(settings: EvaluationSettings) -> keras.Model:
    """The model of a `.keras` file, at the size that a flag says."""
    path = Path(settings.weights)
    model = load_saved_model(path)
    shapes = [tuple(x.shape) for x in getattr(model, "outputs", None) or ()]
    if len(shapes) != 1 or len(shapes[0]) != 2:
        raise ValueError(
            "The model must be a functional classifier with one output, (batch, "
            f"classes). Received: {path}, which has {shapes or 'no graph'}."
        )
    if settings.image_size is None:
        return model
    size = (settings.image_size, settings.image_size)
    if model.input_shape[1:3] in (size, (None, None)):
        return model
    classes = model.output_shape[-1]
    shape = (*size, model.input_shape[-1])
    try:
        return rebuild(path, input_shape=shape, classes=classes)
    except ValueError as error:
        raise ValueError(
            f"--image-size is for transformers of this package. Received: {path}, for "
            f"images {model.input_shape[1:3]}, and --image-size {settings.image_size}. "
            f"Leave it out. {error}"
        ) from error


def _preprocessing_overrides(settings: EvaluationSettings) -> dict[str, Any]:
    """What flags say of how images are prepared, by the fields of `Preprocessing`."""
    names = ("crop_pct", "interpolation", "mean", "std")
    return {
        name: getattr(settings, name)
        for name in names
        if getattr(settings, name) is not None
    }


def _outputs(
    settings: EvaluationSettings,
    class_names: Sequence[str],
    model_names: Sequence[str] | None,
    classes: int,
) -> list[int]:
    """The output of the model for each class of the images."""
    names = model_names if settings.match == "name" else None
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
    settings: EvaluationSettings, model: keras.Model, preprocessing: Preprocessing
) -> tuple[np.ndarray, np.ndarray]:
    """Scale and offset that bring pixels in [0, 255] to what the model takes.

    A model that normalizes by itself gets pixels that it brings to the flags' values.
    """
    scale, offset = np.array(preprocessing.scale), np.array(preprocessing.offset)
    if takes_pixels(model):
        if settings.mean is None and settings.std is None:
            scale, offset = np.ones_like(scale), np.zeros_like(offset)
        elif (own := _own_statistics(settings, model)) is not None:
            scale = 255 * np.array(own.std) * scale
            offset = 255 * (np.array(own.std) * offset + np.array(own.mean))
    return scale.astype("float32"), offset.astype("float32")


def _own_statistics(
    settings: EvaluationSettings, model: keras.Model
) -> Preprocessing | None:
    """What a model normalizes with; None if it takes images as flags say."""
    try:
        return keras_cait.preprocessing_for(model)
    except ValueError as error:
        kinds = (keras.layers.Rescaling, keras.layers.Normalization)
        names = [row.name for row in all_layers(model) if isinstance(row, kinds)]
        if names:
            raise ValueError(
                "--mean and --std are for models whose own are known. Received: "
                f"{settings.weights}, which normalizes images itself, in {names}. "
                "Leave them out."
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
    given = parse_flags(EvaluationSettings, arguments, description=__doc__ or "")
    return exit_code_of(
        lambda: json.dumps(evaluate(make_settings(EvaluationSettings, given))),
        flags=flag_names(EvaluationSettings),
    )


if __name__ == "__main__":
    sys.exit(main())
