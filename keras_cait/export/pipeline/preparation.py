"""A Keras model made ready for other runtimes, with what has to be known of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_cait.export.folding.fold import check_foldable, fold
from keras_cait.export.folding.full_precision import functional, in_float32
from keras_cait.export.pipeline.comparison_images import given_images
from keras_cait.export.pipeline.photographs import DESCRIPTION, photographs
from keras_cait.models.classes.names import check_class_names, class_names_of
from keras_cait.models.logits import output_kind
from keras_cait.models.pixel_inputs import takes_pixels
from keras_cait.models.published.imagenet import preprocess_input
from keras_cait.models.published.preprocessing import preprocessing_for
from keras_cait.preprocessing import Preprocessing


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A classifier to export.

    Attributes:
        reference: The Keras model in float32, as it was given otherwise.
        model: The same for inference: folded; ends in probabilities.
        preprocessing: What brings an image to it.
        takes_pixels: Whether images come in [0, 255], or normalized.
        labels: Names of the classes, if they are known.
        weights: Where the weights came from.
    """

    reference: keras.Model
    model: keras.Model
    preprocessing: Preprocessing
    takes_pixels: bool
    labels: tuple[str, ...] | None
    weights: str

    @property
    def input(self) -> str:
        """What the model takes, in words."""
        height, width, channels = self.model.input_shape[1:]
        values = "in [0, 255]" if self.takes_pixels else "normalized by mean and std"
        return f"images {height} x {width} x {channels}, float32, {values}"

    @property
    def mean(self) -> tuple[float, ...]:
        """Of each of its channels, of images in [0, 1]."""
        return self.preprocessing.mean

    @property
    def std(self) -> tuple[float, ...]:
        """Standard deviation likewise."""
        return self.preprocessing.std

    @property
    def described(self) -> dict[str, Any]:
        """What every report says of the model."""
        return {
            "model": self.reference.name,
            "weights": self.weights,
            "image_size": self.preprocessing.image_size,
            "crop_pct": self.preprocessing.crop_pct,
            "interpolation": self.preprocessing.interpolation,
            "input": self.input,
            "mean": self.mean,
            "std": self.std,
            "labels": self.labels,
        }

    def normalized(self, pixels: np.ndarray) -> np.ndarray:
        """Images in [0, 255] as the model takes them, float32."""
        if self.takes_pixels:
            return pixels.astype("float32")
        known = preprocess_input(pixels, preprocessing=self.preprocessing)
        return known.astype("float32")

    def expected(self, inputs: np.ndarray) -> np.ndarray:
        """The probabilities that the Keras model itself gives, `(images, classes)`."""
        return np.concatenate(
            [
                np.asarray(self.reference.predict_on_batch(inputs[start : start + 8]))
                for start in range(0, len(inputs), 8)
            ]
        )


def prepare(
    model: keras.Model,
    *,
    labels: Sequence[str] | None = None,
    weights: str = "not stated",
) -> Prepared:
    """Makes a model ready for export.

    Args:
        model: A classifier as the builders of this package make it, or a saved and
            loaded one; of any precision.
        labels: Names of the classes, in order; None for those that the model keeps.
        weights: Where its weights came from, for the report.

    Raises:
        ValueError: If it is another model, has no classifier or more than one output,
            does to images what cannot be told, or the labels are not as many as its
            classes.

    Example:
        >>> import keras_cait
        >>> model = keras_cait.DeiT(
        ...     input_shape=(16, 16, 3), patch_size=8, embed_dim=8, depth=1,
        ...     num_heads=2, classes=3, include_preprocessing=True,
        ... )
        >>> prepare(model).input
        'images 16 x 16 x 3, float32, in [0, 255]'

    """
    model = functional(model)
    check_foldable(model)
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise ValueError(
            "Expected a classifier of one input and one output. Received: "
            f"{model.name!r}, with {len(model.inputs)} inputs and "
            f"{len(model.outputs)} outputs. Export the model that its builder gave: a "
            "SavedModel of a distilled one serves both heads."
        )
    preprocessing = preprocessing_for(model)
    kind = output_kind(model)
    if kind is None:
        raise ValueError(
            "Expected a classifier that ends in logits or in a softmax, built with "
            f"`include_top=True`. Received: {model.name!r}, which gives "
            f"{model.output_shape}."
        )
    labels = check_class_names(labels, model.output_shape[-1], "labels")
    reference = in_float32(model)
    if kind == "logits":
        probabilities = keras.layers.Softmax(name="probabilities")(reference.output)
        reference = keras.Model(reference.input, probabilities, name=model.name)
    return Prepared(
        reference=reference,
        model=fold(reference),
        preprocessing=preprocessing,
        takes_pixels=takes_pixels(model),
        labels=labels or class_names_of(model),
        weights=weights,
    )


def images_to_compare(
    prepared: Prepared, images: np.ndarray | Path | str | None
) -> tuple[np.ndarray, str]:
    """Pixels in [0, 255] of the model's shape, and what they are.

    Args:
        prepared: The model.
        images: Those of whoever exports, an array or a folder; None for photographs.

    Raises:
        ValueError: If they are not of the model's shape, or no pixels.

    """
    shape = tuple(prepared.model.input_shape[1:])
    if images is None:
        return photographs(shape[:2], channels=shape[2]), DESCRIPTION
    given = given_images("images", images, prepared.preprocessing, shape)
    folder = isinstance(images, Path | str)
    return given, f"images of {images}" if folder else "images that were given"
