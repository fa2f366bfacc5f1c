"""Architectures of keras.applications as teachers."""

import inspect
import warnings
from collections.abc import Callable
from pathlib import Path

import keras

from keras_cait.errors import first_line
from keras_cait.training.teachers.input_layers import (
    apply_preprocess_input,
    as_color_images,
    input_size,
)
from keras_cait.typing import Shape

IMAGENET_CLASSES = 1000
_SMALLEST_SIDE = {"Xception": 71, "InceptionV3": 75, "InceptionResNetV2": 75}  # pixels


def applications() -> dict[str, Callable[..., keras.Model]]:
    """The architectures of keras.applications by name."""
    content = vars(keras.applications).items()
    return {name: value for name, value in content if inspect.isfunction(value)}


def applications_teacher(
    name: str, image_shape: Shape, classes: int, weights: str | Path | None
) -> tuple[keras.Model, bool]:
    """Builds an architecture of keras.applications, from images in [0, 255] to logits.

    With the weights of ImageNet and as many classes it is the published classifier,
    at its own image size. Otherwise it gets a new head, at the size of the student's
    images. Returns the model, and whether its head has trained weights.
    """
    check_imagenet_or_none(name, weights)
    builder = applications()[name]
    trained = weights is not None and classes == IMAGENET_CLASSES
    size = input_size(image_shape, smallest=_SMALLEST_SIDE.get(name, 32))
    try:
        with warnings.catch_warnings():
            # The weights fit any image size.
            warnings.filterwarnings("ignore", "`input_shape` is undefined or non-sq")
            if trained:
                body = builder(weights=weights, classifier_activation=None)
                height, width = body.input_shape[1:3]
                size = (height or size[0], width or size[1])
            else:
                body = builder(
                    include_top=False,
                    weights=weights,
                    input_shape=(*size, 3),
                    pooling="avg",
                )
    except Exception as error:  # get_file raises a bare Exception
        offline = "weights=None (--teacher-weights none)"
        message = could_not_build(name, weights, error, offline=offline)
        raise ValueError(message) from error
    inputs = keras.Input(image_shape, name="images")
    outputs = body(apply_preprocess_input(builder, as_color_images(inputs, size)))
    if not trained:
        outputs = keras.layers.Dense(classes, name="head")(outputs)
    return keras.Model(inputs, outputs, name=name.lower()), trained


def check_imagenet_or_none(name: str, weights: str | Path | None) -> None:
    """Raises `ValueError` if `weights` is neither "imagenet" nor None."""
    if weights not in ("imagenet", None):
        raise ValueError(
            f'`weights` must be "imagenet" or None for {name}; a classifier of your '
            f"own is a teacher as its .keras file. Received: weights={str(weights)!r}"
        )


def could_not_build(
    name: str, weights: str | Path | None, error: Exception, *, offline: str
) -> str:
    """Error text of a failed build; `offline` names a choice that needs no network."""
    return (
        f"Could not build the teacher {name} with weights={weights!r}: "
        f"{first_line(error).rstrip('.')}. Without a network take {offline}."
    )
