r"""Measures a model on images: top-1 and top-5 accuracy, by class, and speed.

    python recipes/evaluate.py --model deit_tiny_patch16_224 --weights imagenet \
        --data-dir imagenet/val
    python recipes/evaluate.py --weights run/model.keras --dataset cifar10
    python recipes/evaluate.py --model CaiT_XXS24 --weights cait.safetensors \
        --data-dir photos/test --per-class

DIR holds one folder per class, or train/ and val/ or test/ with such folders. Classes
of images and model are matched by name if the model has names (WordNet ids work for
ImageNet's). Otherwise, and with --match index, the index of a class is that of its
folder, sorted by name; if there is a train/ folder, its folders count. The
preprocessing is the model's, unless a flag changes it: the shorter side is resized to
image size / crop percentage, the center is cropped, then (x / 255 - mean) / std.
--validation-split takes the part of a folder that a training with the same flag kept
for tests.

Papers: top-1 accuracy of every table. The official code evaluates DeiT with
--crop-pct 0.875, timm's configurations with 0.9; CaiT with 1.0.

The last line of the standard output is a JSON object: top1, top5 (in percent),
images, images_per_second; for a distilled model also those of both heads.
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
from keras_cait.data.sources.unreadable_images import name_unreadable_images
from keras_cait.exit_code import exit_code_of
from keras_cait.models.classes.imagenet_classes import imagenet_names
from keras_cait.models.classes.order import outputs_of_classes
from keras_cait.models.pixel_inputs import takes_pixels
from keras_cait.models.published.preprocessing import preprocessing_or_default
from keras_cait.models.published.rebuilding import rebuild
from keras_cait.models.published.registry import find_variant, model_with_weights
from keras_cait.models.published.saved_models import load_classifier
from keras_cait.training.evaluation import Predictions, named_outputs, predict
from keras_cait.training.settings.flags import (
    flag_names,
    make_settings,
    option,
    parse_flags,
)
from keras_cait.training.settings.image_source import ImageSource
from keras_cait.training.settings.serialization import to_json
from keras_cait.weights.load import check_source
from keras_cait.weights.metadata.class_count import read_class_count
from keras_cait.weights.metadata.model_metadata import all_layers

Channels = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class EvaluationSettings(ImageSource):
    """Settings of an evaluation: model, images and preprocessing."""

    model: str | None = option(
        None, "a builder's or timm's name; not needed with a .keras file"
    )
    weights: str = option("imagenet", "imagenet, hf://owner/repo, or a file")
    match: Literal["name", "index"] = option(
        "name", "match the classes of images and model by it"
    )
    image_size: int | None = option(None, "side in pixels; by default the model's")
    crop_pct: float | None = option(None, "part of the side; by default the model's")
    interpolation: Literal["bicubic", "bilinear"] | None = option(
        None, "resizing method; by default the model's"
    )
    mean: Channels | None = option(
        None, "mean of each channel of images in [0, 1]; by default the model's"
    )
    std: Channels | None = option(None, "standard deviation, likewise")
    batch_size: int = option(64, "images a step")
    limit: int | None = option(None, "largest number of images, drawn at random")
    per_class: bool = option(False, "print the accuracy of each class")

    def __post_init__(self) -> None:
        if self.model is None and not self.weights.endswith(".keras"):
            raise ValueError(
                "--model must be named, unless --weights is a .keras file. "
                f"Received: --weights {self.weights}"
            )
        for name in ("batch_size", "limit", "image_size"):
            value = getattr(self, name)
            if value is not None and value < 1:
                flag = "--" + name.replace("_", "-")
                raise ValueError(f"{flag} must be 1 or more. Received: {value}")


def evaluate(settings: EvaluationSettings) -> dict[str, Any]:
    """Evaluates the model, prints the settings and returns the results."""
    class_names, images = settings.test_images(settings.limit)
    model = load_model(settings, class_names)
    names, classes = class_names_of(model), model.output_shape[-1]
    outputs = _outputs(settings, class_names, names, classes)
    preprocessing = replace(preprocessing_or_default(model), **_overrides(settings))
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

    Weights of an unknown number of classes must have the data's.

    Raises:
        ValueError: If the model does not exist, or the weights do not fit it.
        FileNotFoundError: If the file does not exist.

    """
    classes = len(class_names)
    size: dict[str, Any] = {}
    if settings.image_size is not None:
        size["input_shape"] = (settings.image_size, settings.image_size, 3)
    if settings.model is None:
        return _load_file(settings)
    find_variant(settings.model)  # the first error is that of an unknown name
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
        preprocessing_overrides=_overrides(settings),
        classes=classes,
        **size,
    )


def _load_file(settings: EvaluationSettings) -> keras.Model:
    """The model of a `.keras` file, at the size of `--image-size`."""
    path = Path(settings.weights)
    model = load_classifier(path)
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


def _overrides(settings: EvaluationSettings) -> dict[str, Any]:
    """Fields of `Preprocessing` that flags set."""
    names = ("crop_pct", "interpolation", "mean", "std")
    given = {name: getattr(settings, name) for name in names}
    return {name: value for name, value in given.items() if value is not None}


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
    """Scale and offset from pixels in [0, 255] to the inputs of the model.

    For a model with its own normalization they undo the difference to the flags'.
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
    """Mean and std of a model's own normalization; None if it has none."""
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
