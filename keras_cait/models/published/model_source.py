"""Models of the command line: by name or file, with their weights and labels."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from keras_cait.command_line.flags import flag
from keras_cait.models.classes.names import class_names_of
from keras_cait.models.published.registry import find_variant, model_with_weights
from keras_cait.models.published.saved_models import load_saved_model
from keras_cait.weights.metadata.class_count import read_class_count

RANDOM = "random"
"""Source of weights that were not trained, as reports and pages state it."""

_ADVICE = (
    "Models with layers of one's own are exported from Python, where those are known: "
    "keras_cait.export.to_onnx, to_tflite and to_saved_model."
)


@dataclass(frozen=True, kw_only=True)
class ModelSource:
    """Name of a model and source of its weights; None stands for the model's own."""

    name: str  # of a builder or of timm, or a `.keras` file
    weights: str | None = None  # "imagenet" (also None), "none", a file or "hf://..."
    classes: int | None = None  # None: that of the weights, or of the labels
    image_size: int | None = None  # side in pixels
    labels: Path | None = None  # a file with one class name a line
    mean: tuple[float, ...] | None = None  # per channel, of images in [0, 1]
    std: tuple[float, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class LoadedModel:
    """A model, its class names, and the source of its weights for the report."""

    model: keras.Model
    labels: tuple[str, ...] | None
    weights: str


def load_source(source: ModelSource) -> LoadedModel:
    """Builds or loads a model; a named model takes images in [0, 255].

    Labels, mean and standard deviation come from the model, unless others are given.
    """
    labels = None if source.labels is None else read_labels(source.labels)
    if source.name.endswith(".keras"):
        model = _load_file(source)
        return LoadedModel(
            model=model, labels=labels or class_names_of(model), weights=source.name
        )
    find_variant(source.name)  # the first error is that of an unknown name
    for name in ("image_size", "classes"):
        value = getattr(source, name)
        if value is not None and value < 1:
            raise ValueError(f"{flag(name)} must be 1 or more. Received: {value}")
    weights = source.weights or "imagenet"
    known = {"imagenet": 1000, "none": None}
    known = known[weights] if weights in known else read_class_count(weights)
    classes = source.classes or known or len(labels or ()) or 1000
    if weights == "imagenet" and classes != 1000:
        raise ValueError(
            "The published weights have ImageNet's 1000 classes. Received: "
            f"{classes} classes. Name other weights with --weights, or none."
        )
    options: dict[str, Any] = {"classes": classes, "include_preprocessing": True}
    if source.image_size is not None:
        options["input_shape"] = (source.image_size, source.image_size, 3)
    overrides = {"mean": source.mean, "std": source.std}
    overrides = {name: value for name, value in overrides.items() if value is not None}
    model = model_with_weights(
        source.name, weights, preprocessing_overrides=overrides, **options
    )
    return LoadedModel(
        model=model,
        labels=labels or class_names_of(model),
        weights={"none": RANDOM, "imagenet": f"published, of {source.name}"}.get(
            weights, weights
        ),
    )


def read_labels(path: Path) -> tuple[str, ...]:
    """Reads class names, one a line, from a text file in UTF-8."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"--labels must be a text file in UTF-8. Received: {path}, {error}"
        ) from error
    labels = tuple(line.strip() for line in text.rstrip().splitlines())
    if not labels or not all(labels):
        place = f"line {labels.index('') + 1} is empty" if labels else "no line is"
        raise ValueError(
            "--labels must have the name of a class on each line. Received: "
            f"{path}, where {place}."
        )
    return labels


def _load_file(source: ModelSource) -> keras.Model:
    given = {
        "--weights": source.weights,
        "--classes": source.classes,
        "--image-size": source.image_size,
        "--mean": source.mean,
        "--std": source.std,
    }
    extra = [flag for flag, value in given.items() if value is not None]
    if extra:
        raise ValueError(
            f"A .keras file has weights, classes, image size, mean and std of its own. "
            "Leave them out, or export a model that is built with them. Received: "
            f"{', '.join(extra)} with {source.name}"
        )
    return load_saved_model(source.name, advice=_ADVICE)
