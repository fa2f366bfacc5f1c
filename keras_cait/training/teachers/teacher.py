"""Teachers by name or file: `make_teacher`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from keras_cait.models.teachers.convnet import small_convnet
from keras_cait.suggestion import did_you_mean
from keras_cait.training.teachers.keras_applications import (
    applications,
    applications_teacher,
    check_imagenet_or_none,
)
from keras_cait.training.teachers.keras_cv import PREFIX, keras_cv_teacher
from keras_cait.training.teachers.published_models import (
    published_names,
    published_teacher,
)
from keras_cait.training.teachers.saved_teacher import check_classes, load_teacher
from keras_cait.typing import Shape


@dataclass(frozen=True, kw_only=True)
class Teacher:
    """A classifier of a student's images."""

    model: keras.Model  # from images in [0, 255] to logits or probabilities
    trained: bool  # if not, its head or all of its weights are random
    # Resizes the student's images to the model's size; None if they have it.
    preprocessing: Callable[[Any], Any] | None = None


def make_teacher(
    name_or_path: str,
    image_shape: Shape,
    classes: int,
    *,
    weights: str | Path | None = "imagenet",
    class_names: Sequence[str] | None = None,
    **sizes: Any,
) -> Teacher:
    """Loads or builds a teacher.

    Args:
        name_or_path: A `.keras` file; a builder of this package, such as the papers'
            "RegNetY_16GF", or timm's name of its model; a name of keras.applications,
            such as "ResNet50"; a preset of keras-cv, such as
            "keras_cv:resnet50_v2_imagenet_classifier"; or "convnet", a small one
            for small images.
        image_shape: Height, width and channels of the student's images.
        classes: Number of classes.
        weights: First weights of an architecture: "imagenet", None for random
            weights, or for a builder of this package the path of a file. A head for
            other classes is random. A `.keras` file has its own weights, "convnet"
            has random ones.
        class_names: Name of each class of the data, in order. A file whose model has
            other names, or another order, is an error. None: no check.
        **sizes: `widths` and `blocks` of "convnet"; see `small_convnet`.

    Raises:
        FileNotFoundError: If the file does not exist.
        OSError: If the hub does not give the weights.
        ValueError: If the architecture does not exist, the file does not fit the
            data, or the weights do not fit the model or cannot be had.

    Example:
        >>> teacher = make_teacher("convnet", (8, 8, 1), 10)
        >>> teacher.model.output_shape, teacher.trained, teacher.preprocessing
        ((None, 10), False, None)

    """
    if name_or_path.endswith(".keras"):
        model, trained = load_teacher(name_or_path, image_shape, classes), True
        if class_names is not None:
            check_classes(model, class_names, name_or_path)
    else:
        model, trained = _build_architecture(
            name_or_path, image_shape, classes, weights=weights, **sizes
        )
    return Teacher(
        model=model,
        trained=trained,
        preprocessing=resize_for_teacher(model, image_shape),
    )


def _build_architecture(
    name: str,
    image_shape: Shape,
    classes: int,
    *,
    weights: str | Path | None,
    **sizes: Any,
) -> tuple[keras.Model, bool]:
    """Builds an architecture; returns the model, and whether its head is trained."""
    if name == "convnet":
        check_imagenet_or_none(name, weights)  # random for both: none are published
        return small_convnet(input_shape=image_shape, classes=classes, **sizes), False
    if name.startswith(PREFIX):
        return keras_cv_teacher(name, image_shape, classes, weights)
    if name in applications():
        return applications_teacher(name, image_shape, classes, weights)
    known = published_names()
    if name.partition(".")[0] in known:  # with or without one of timm's tags
        return published_teacher(name, image_shape, classes, weights)
    hint = did_you_mean(name, ["convnet", *applications(), *known])
    raise ValueError(
        '`teacher` must be a .keras file, "convnet", a builder of keras_cait, a name '
        f'of keras.applications, or "{PREFIX}" and a preset. '
        f"Received: teacher={name!r}.{hint}"
    )


def resize_for_teacher(
    teacher: keras.Model, image_shape: Shape
) -> keras.layers.Layer | None:
    """Layer that resizes the student's images to the teacher's; None if they fit."""
    size = teacher.input_shape[1:3]
    if None in size or size == tuple(image_shape[:2]):
        return None
    return keras.layers.Resizing(*size, name="for_the_teacher")
