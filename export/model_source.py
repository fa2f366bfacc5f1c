"""The models that a command line can name, with their weights and labels."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
from safetensors import SafetensorError, safe_open

from keras_cait.models.imagenet_classes import imagenet_classes
from keras_cait.models.registry import create_model, find_variant
from keras_cait.models.saved_models import load_saved_model
from keras_cait.weights import load_weights
from keras_cait.weights.hub import download

_ADVICE = (
    "Models with layers of one's own are exported from Python, where those are known: "
    "keras_cait.export.to_onnx, to_tflite and to_saved_model."
)
_HEAD_BIASES = ("head.bias", "head.fc.bias")  # a number for each class


@dataclass(frozen=True, kw_only=True)
class ModelSource:
    """Which model, and where its weights come from.

    Attributes:
        name: A builder's or timm's name, or the path of a `.keras` file.
        weights: "imagenet" for the published ones, "none" for random ones, a file or
            "hf://owner/repository"; None for "imagenet". Nothing with a `.keras`
            file, which has its own.
        classes: How many; None for as many as the weights have, or the labels.
        image_size: Side of the images in pixels; None for the model's own.
        labels: A file with the name of a class on each line.
    """

    name: str
    weights: str | None = None
    classes: int | None = None
    image_size: int | None = None
    labels: Path | None = None


@dataclass(frozen=True, kw_only=True)
class SourcedModel:
    """A model with what its file or name says of it.

    Attributes:
        model: With its weights.
        labels: Names of the classes, if they are known.
        weights: Where the weights came from, in words.
    """

    model: keras.Model
    labels: tuple[str, ...] | None
    weights: str


def load_source(source: ModelSource) -> SourcedModel:
    """Builds or loads a model; one that is named takes images in [0, 255].

    The published weights know ImageNet's classes, so that their names are the labels
    unless others are given.

    Args:
        source: Which one.

    Raises:
        ValueError: If there is no such model, or its settings, weights or file do
            not fit.
        OSError: If a file is not to be had.

    Example:
        >>> found = load_source(ModelSource(name="DeiT_Ti", weights="none", classes=3))
        >>> found.model.output_shape, found.weights, found.labels
        ((None, 3), 'random', None)

    """
    labels = None if source.labels is None else read_labels(source.labels)
    if source.name.endswith(".keras"):
        return SourcedModel(
            model=_load_file(source), labels=labels, weights=source.name
        )
    find_variant(source.name)  # a name that there is not comes first
    for name in ("image_size", "classes"):
        value = getattr(source, name)
        if value is not None and value < 1:
            flag = "--" + name.replace("_", "-")
            raise ValueError(f"{flag} must be 1 or more. Received: {value}")
    weights = source.weights or "imagenet"
    classes = source.classes or _classes_of(weights) or len(labels or ()) or 1000
    if weights == "imagenet" and classes != 1000:
        raise ValueError(
            "The published weights know ImageNet's 1000 classes. Received: "
            f"{classes} classes. Name other weights with --weights, or none."
        )
    if weights == "imagenet" and labels is None:
        labels = tuple(name for _, name in imagenet_classes())
    return SourcedModel(
        model=_build(source, weights, classes),
        labels=labels,
        weights={"none": "random", "imagenet": f"published, of {source.name}"}.get(
            weights, weights
        ),
    )


def read_labels(path: Path) -> tuple[str, ...]:
    """Names of classes, one on each line of a text file in UTF-8.

    Raises:
        ValueError: If a line between others is empty, or the file is no text.
        OSError: If it cannot be read.

    """
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
    }
    extra = [flag for flag, value in given.items() if value is not None]
    if extra:
        raise ValueError(
            f"A .keras file has weights, classes and image size of its own. Received: "
            f"{', '.join(extra)} with {source.name}"
        )
    return load_saved_model(source.name, advice=_ADVICE)


def _build(source: ModelSource, weights: str, classes: int) -> keras.Model:
    options: dict[str, Any] = {"classes": classes, "include_preprocessing": True}
    if source.image_size is not None:
        options["input_shape"] = (source.image_size, source.image_size, 3)
    if weights == "imagenet":
        return create_model(source.name, **options)
    model = create_model(source.name, weights=None, **options)
    if weights != "none":
        load_weights(model, weights)  # all of them, the head too
    return model


def _classes_of(weights: str) -> int | None:
    """How many classes weights know, as far as can be told before they are loaded."""
    if weights == "imagenet":
        return 1000
    path = download(weights) if weights.startswith("hf://") else Path(weights)
    if path.suffix != ".safetensors" or not path.is_file():
        return None
    try:
        with safe_open(path, framework="numpy") as file:
            for name in set(_HEAD_BIASES).intersection(file.keys()):
                return file.get_slice(name).get_shape()[0]
    except SafetensorError:
        return None  # loading the weights says what is the matter
    return None
