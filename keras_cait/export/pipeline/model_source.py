"""The models that a command line can name, with their weights and labels."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from keras_cait.models.classes.names import class_names_of
from keras_cait.models.published.registry import find_variant, model_with_weights
from keras_cait.models.published.saved_models import load_saved_model
from keras_cait.weights.metadata.class_count import read_class_count

_ADVICE = (
    "Models with layers of one's own are exported from Python, where those are known: "
    "keras_cait.export.to_onnx, to_tflite and to_saved_model."
)


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
        labels: A file with the name of a class on each line; None for the names that
            the model keeps.
        mean: Of each channel of images in [0, 1]; None for what the weights say.
        std: Standard deviation likewise.
    """

    name: str
    weights: str | None = None
    classes: int | None = None
    image_size: int | None = None
    labels: Path | None = None
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None


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

    The labels are those that the model keeps, ImageNet's for the published weights,
    unless others are given. So are mean and standard deviation.

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
            model=(model := _load_file(source)),
            labels=labels or class_names_of(model),
            weights=source.name,
        )
    find_variant(source.name)  # a name that there is not comes first
    for name in ("image_size", "classes"):
        value = getattr(source, name)
        if value is not None and value < 1:
            flag = "--" + name.replace("_", "-")
            raise ValueError(f"{flag} must be 1 or more. Received: {value}")
    weights = source.weights or "imagenet"
    known = {"imagenet": 1000, "none": None}
    known = known[weights] if weights in known else read_class_count(weights)
    classes = source.classes or known or len(labels or ()) or 1000
    if weights == "imagenet" and classes != 1000:
        raise ValueError(
            "The published weights know ImageNet's 1000 classes. Received: "
            f"{classes} classes. Name other weights with --weights, or none."
        )
    options: dict[str, Any] = {"classes": classes, "include_preprocessing": True}
    if source.image_size is not None:
        options["input_shape"] = (source.image_size, source.image_size, 3)
    stated = {"mean": source.mean, "std": source.std}
    stated = {name: value for name, value in stated.items() if value is not None}
    model = model_with_weights(source.name, weights, stated=stated, **options)
    return SourcedModel(
        model=model,
        labels=labels or class_names_of(model),
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
