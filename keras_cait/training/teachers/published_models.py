"""Models of this package as teachers."""

import contextlib
import warnings
from pathlib import Path

import keras

from keras_cait.models.published.registry import create_model, find_variant, list_models
from keras_cait.training.teachers.input_layers import as_color_images, input_size
from keras_cait.typing import Shape
from keras_cait.variants import VARIANTS
from keras_cait.weights import load_weights
from keras_cait.weights.metadata.source_metadata import (
    SourceMetadata,
    read_source_metadata,
)


def published_names() -> list[str]:
    """The builders of this package, and timm's names of their models."""
    return [*VARIANTS, *list_models()]


def published_teacher(
    name: str, image_shape: Shape, classes: int, weights: str | Path | None
) -> tuple[keras.Model, bool]:
    """Builds a model of this package, from images in [0, 255] to logits.

    Images too small for the architecture are enlarged, gray ones become RGB. Returns
    the model, and whether its head has trained weights.
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
    """Loads weights; returns whether their head fits and is loaded too."""
    with contextlib.suppress(ValueError):  # an error not of the head comes again below
        load_weights(model, source)
        return True
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".* keep their random start")
        load_weights(model, source, new_head=True)
    return False
