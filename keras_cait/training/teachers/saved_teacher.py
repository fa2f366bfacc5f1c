"""Trained teachers in `.keras` files."""

from collections.abc import Sequence
from pathlib import Path

import keras

from keras_cait.models.classes.names import class_names_of
from keras_cait.models.classes.order import outputs_of_classes
from keras_cait.models.image_inputs import prepared_images
from keras_cait.models.pixel_inputs import takes_pixels
from keras_cait.models.published.preprocessing import preprocessing_for
from keras_cait.models.published.saved_models import load_classifier
from keras_cait.typing import Shape


def load_teacher(path: str | Path, image_shape: Shape, classes: int) -> keras.Model:
    """Loads a trained classifier of images in [0, 255].

    A model of this package without `include_preprocessing` gets the normalization of
    its images in front.
    """
    teacher = load_classifier(path, kind="teacher")
    if teacher.output_shape[-1] != classes:
        raise ValueError(
            f"The teacher must know the {classes} classes of the data. Received: "
            f"{path} with {teacher.output_shape[-1]} classes."
        )
    if teacher.input_shape[-1] != image_shape[-1]:
        raise ValueError(
            f"The teacher must take images of {image_shape[-1]} channel(s). "
            f"Received: {path}, which takes {teacher.input_shape[-1]}."
        )
    if takes_pixels(teacher):
        return teacher
    images = keras.Input(teacher.input_shape[1:], name="images")
    normalized = prepared_images(images, preprocessing_for(teacher), normalize=True)
    return keras.Model(images, teacher(normalized), name="teacher")


def check_classes(model: keras.Model, class_names: Sequence[str], path: str) -> None:
    """Raises `ValueError` if a teacher has other classes, or in another order."""
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
