"""Architectures that can teach: the package's own, and those of keras.applications."""

import contextlib
import inspect
import warnings
from collections.abc import Callable
from pathlib import Path

import keras

from keras_cait.errors import first_line
from keras_cait.models.published.registry import create_model, find_variant, list_models
from keras_cait.training.teachers.input_layers import (
    apply_preprocess_input,
    as_color_images,
    input_size,
)
from keras_cait.typing import Shape
from keras_cait.variants import VARIANTS
from keras_cait.weights import load_weights
from keras_cait.weights.metadata.source_metadata import (
    SourceMetadata,
    read_source_metadata,
)

IMAGENET_CLASSES = 1000
# Three of keras.applications take no image as small as the others do, in pixels.
_LARGER = {"Xception": 71, "InceptionV3": 75, "InceptionResNetV2": 75}


def published_names() -> list[str]:
    """The builders of this package, and timm's names for what they build."""
    return [*VARIANTS, *list_models()]


def published_teacher(
    name: str, image_shape: Shape, classes: int, weights: str | Path | None
) -> tuple[keras.Model, bool]:
    """A model of this package that takes images in [0, 255] and gives logits.

    Args:
        name: Such as "RegNetY_16GF" or "regnety_160".
        image_shape: Height, width and channels of the images. Those too small for
            the architecture are enlarged, gray ones made color.
        classes: Number of classes.
        weights: As the builders take them; see `keras_cait.load_weights`.

    Returns:
        The model, and whether its head is loaded too; if not it needs training.

    """
    variant = find_variant(name)
    size = input_size(image_shape, multiple=variant.sizes.get("patch_size", 1))
    if weights == "imagenet":
        weights = f"hf://{variant.checkpoint_for((*size, 3)).hub_id}"
    metadata = SourceMetadata() if weights is None else read_source_metadata(weights)
    inputs = keras.Input(image_shape, name="images")
    model = create_model(
        name,
        weights=None,
        input_tensor=as_color_images(inputs, size),
        classes=classes,
        classifier_activation=None,
        include_preprocessing=True,
        preprocessing=metadata.preprocessing,
    )
    if weights is None:
        return model, False
    return model, _load_with_head(model, weights)


def _load_with_head(model: keras.Model, source: str | Path) -> bool:
    """Loads weights; whether there was a head among them that fits."""
    with contextlib.suppress(ValueError):  # if of more than the head, it comes again
        load_weights(model, source)
        return True
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".* keep their random start")
        load_weights(model, source, new_head=True)
    return False


def applications() -> dict[str, Callable[..., keras.Model]]:
    """The architectures of keras.applications by name."""
    content = vars(keras.applications).items()
    return {name: value for name, value in content if inspect.isfunction(value)}


def applications_teacher(
    name: str, image_shape: Shape, classes: int, weights: str | Path | None
) -> tuple[keras.Model, bool]:
    """An architecture of keras.applications for images in [0, 255].

    With the weights of ImageNet and as many classes it is the published classifier,
    at the image size it was made for. Otherwise it gets a new head, at the size of
    the student's images.

    Args:
        name: Such as "ResNet50".
        image_shape: Height, width and channels of the images.
        classes: Number of classes.
        weights: "imagenet" or None.

    Returns:
        The model, which gives logits, and whether it is trained with its head.

    Raises:
        ValueError: If the weights are something else, or cannot be had.

    """
    check_imagenet_or_none(name, weights)
    builder = applications()[name]
    trained = weights is not None and classes == IMAGENET_CLASSES
    size = input_size(image_shape, smallest=_LARGER.get(name, 32))
    try:
        with warnings.catch_warnings():
            # Weights do not depend on the image size, whatever size they are for.
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
    """Raises `ValueError` unless these are weights that a name can stand for."""
    if weights not in ("imagenet", None):
        raise ValueError(
            f'`weights` must be "imagenet" or None for {name}; a classifier of your '
            f"own is a teacher as its .keras file. Received: weights={str(weights)!r}"
        )


def could_not_build(
    name: str, weights: str | Path | None, error: Exception, *, offline: str
) -> str:
    """What to tell, in a line, of a teacher that another package did not build.

    `offline` says what works without a network.
    """
    return (
        f"Could not build the teacher {name} with weights={weights!r}: "
        f"{first_line(error).rstrip('.')}. Without a network take {offline}."
    )
