"""The teacher that a recipe is asked for: a file, or an architecture by name."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from keras_cait.models.classes.names import class_names_of
from keras_cait.models.classes.order import outputs_of_classes
from keras_cait.models.image_inputs import prepared_images
from keras_cait.models.pixel_inputs import takes_pixels
from keras_cait.models.published.preprocessing import preprocessing_for
from keras_cait.models.published.saved_models import load_saved_model
from keras_cait.models.teachers.convnet import small_convnet
from keras_cait.suggestion import did_you_mean
from keras_cait.training.teachers.architectures import (
    applications,
    applications_teacher,
    check_imagenet_or_none,
    published_names,
    published_teacher,
)
from keras_cait.training.teachers.keras_cv import PREFIX, keras_cv_teacher
from keras_cait.typing import Shape


@dataclass(frozen=True, kw_only=True)
class Teacher:
    """A classifier of a student's images, and what there is to know of it.

    Attributes:
        model: From images in [0, 255] to logits or probabilities.
        trained: Whether it knows the classes already. One that does not has a
            new head, or random weights, and is to be trained first.
        preprocessing: What brings the student's images to the size of the
            model's; None where they fit. `Distiller` takes it as
            `teacher_preprocessing`.
    """

    model: keras.Model
    trained: bool
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
    """The teacher that a command line asks for.

    Args:
        name_or_path: A `.keras` file; a builder of this package, as the papers'
            "RegNetY_16GF", by its name or by timm's; a name of keras.applications,
            as "ResNet50"; a preset of keras-cv, as
            "keras_cv:resnet50_v2_imagenet_classifier"; or "convnet", a small one
            for small images.
        image_shape: Height, width and channels of the student's images.
        classes: Number of classes.
        weights: What an architecture starts from: "imagenet", None for random
            weights, or for a builder of this package a file's path. A head for
            other classes than the weights' starts anew. A `.keras` file and
            "convnet" have nothing to load.
        class_names: Name of each class of the data, in order; a file whose model
            keeps other names, or another order, is refused. None to take its classes
            for those of the data.
        **sizes: `widths` and `blocks` of "convnet"; see `small_convnet`.

    Returns:
        A `Teacher`.

    Raises:
        FileNotFoundError: If there is no such file.
        OSError: If the hub does not give the weights.
        ValueError: If there is no such architecture, the file does not fit the
            data, or the weights do not fit the model or cannot be had.

    Example:
        >>> teacher = make_teacher("convnet", (8, 8, 1), 10)
        >>> teacher.model.output_shape, teacher.trained, teacher.preprocessing
        ((None, 10), False, None)

    """
    if name_or_path.endswith(".keras"):
        model, trained = load_teacher(name_or_path, image_shape, classes), True
        if class_names is not None:
            _check_classes(model, class_names, name_or_path)
    else:
        model, trained = _built(name_or_path, image_shape, classes, weights, sizes)
    return Teacher(
        model=model,
        trained=trained,
        preprocessing=resize_for_teacher(model, image_shape),
    )


def load_teacher(path: str | Path, image_shape: Shape, classes: int) -> keras.Model:
    """Loads a trained classifier of images in [0, 255].

    A model of this package that was made without `include_preprocessing` gets the
    normalization of its images in front.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no Keras classifier, or one for other classes or
            channels.

    """
    teacher = load_saved_model(path, kind="teacher")
    shapes = [tuple(x.shape) for x in getattr(teacher, "outputs", None) or ()]
    if len(shapes) != 1 or len(shapes[0]) != 2:
        raise ValueError(
            "The teacher must be a functional classifier with one output, (batch, "
            f"classes). Received: {path}, which has {shapes or 'no graph'}."
        )
    if shapes[0][-1] != classes:
        raise ValueError(
            f"The teacher must know the {classes} classes of the data. Received: "
            f"{path} with {shapes[0][-1]} classes."
        )
    if teacher.input_shape[-1] != image_shape[-1]:
        raise ValueError(
            f"The teacher must take images of {image_shape[-1]} channel(s). "
            f"Received: {path}, which takes {teacher.input_shape[-1]}."
        )
    return teacher if takes_pixels(teacher) else _of_pixels(teacher)


def _check_classes(model: keras.Model, class_names: Sequence[str], path: str) -> None:
    """Refuses a teacher of other classes than the data's, or in another order."""
    try:
        order = outputs_of_classes(
            class_names, class_names_of(model), model.output_shape[-1]
        )
    except ValueError as error:
        raise ValueError(f"The teacher {path} is for other classes. {error}") from error
    if order != sorted(order):
        raise ValueError(
            "The teacher must have the classes of the data in their order. Received: "
            f"{path} with {class_names_of(model)} and data with {tuple(class_names)}. "
            "Train the teacher on folders of the same names."
        )


def _of_pixels(model: keras.Model) -> keras.Model:
    """The same model with what it wants of images done in front of it."""
    images = keras.Input(model.input_shape[1:], name="images")
    known = preprocessing_for(model)
    normalized = prepared_images(images, known, normalize=True)
    return keras.Model(images, model(normalized), name="teacher")


def build_teacher(
    name: str,
    image_shape: Shape,
    classes: int,
    *,
    weights: str | Path | None,
    **sizes: Any,
) -> keras.Model:
    """The model of `make_teacher` for the name of an architecture."""
    return _built(name, image_shape, classes, weights, sizes)[0]


def _built(
    name: str,
    image_shape: Shape,
    classes: int,
    weights: str | Path | None,
    sizes: dict[str, Any],
) -> tuple[keras.Model, bool]:
    if name == "convnet":
        check_imagenet_or_none(name, weights)  # either is random: none is published
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
    """What makes the student's images fit the teacher: a resize, or nothing."""
    size = teacher.input_shape[1:3]
    if None in size or size == tuple(image_shape[:2]):
        return None
    return keras.layers.Resizing(*size, name="for_the_teacher")
