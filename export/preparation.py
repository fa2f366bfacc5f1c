"""A Keras model made ready for other runtimes, with what has to be known of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras_cait.export.fold import fold
from keras_cait.export.full_precision import in_float32
from keras_cait.export.photographs import DESCRIPTION, photographs

from keras_cait.models.outputs import output_kind
from keras_cait.models.preprocessing import Preprocessing, preprocessing_for


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A classifier to export.

    Attributes:
        reference: The Keras model in float32, as it was given otherwise.
        model: The same for inference: folded; ends in probabilities.
        preprocessing: What brings an image to it.
        takes_pixels: Whether images come in [0, 255], or normalised.
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
        values = "in [0, 255]" if self.takes_pixels else "normalised by mean and std"
        return f"images {height} x {width} x {channels}, float32, {values}"

    @property
    def described(self) -> dict[str, Any]:
        """What every report says of the model."""
        return {
            "model": self.reference.name,
            "weights": self.weights,
            "image_size": self.preprocessing.image_size,
            "input": self.input,
            "mean": self.preprocessing.mean,
            "std": self.preprocessing.std,
            "labels": self.labels,
        }

    def normalised(self, pixels: np.ndarray) -> np.ndarray:
        """Images in [0, 255] as the model takes them, float32."""
        if self.takes_pixels:
            return pixels.astype("float32")
        mean, std = np.array(self.preprocessing.mean), np.array(self.preprocessing.std)
        if pixels.shape[-1] != len(mean):  # as `include_preprocessing` has it
            mean, std = mean.mean(), std.mean()
        return ((pixels / 255 - mean) / std).astype("float32")

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
        labels: Names of the classes, in order.
        weights: Where its weights came from, for the report.

    Raises:
        ValueError: If it is another model, has no classifier, or the labels are not
            as many as its classes.

    """
    preprocessing = preprocessing_for(model)
    kind = output_kind(model)
    if kind is None:
        raise ValueError(
            "Expected a classifier that ends in logits or in a softmax, built with "
            f"`include_top=True`. Received: {model.name!r}, which gives "
            f"{model.output_shape}."
        )
    classes = model.output_shape[-1]
    if labels is not None and len(labels) != classes:
        raise ValueError(
            f"`labels` must name the {classes} classes of the model, one each. "
            f"Received: {len(labels)} labels."
        )
    reference = in_float32(model)
    if kind == "logits":
        probabilities = keras.layers.Softmax(name="probabilities")(reference.output)
        reference = keras.Model(reference.input, probabilities, name=model.name)
    names = {layer.name for layer in model.layers}
    return Prepared(
        reference=reference,
        model=fold(reference),
        preprocessing=preprocessing,
        takes_pixels="normalise" in names,
        labels=None if labels is None else tuple(labels),
        weights=weights,
    )


def images_to_compare(
    prepared: Prepared, images: np.ndarray | None
) -> tuple[np.ndarray, str]:
    """Pixels in [0, 255] of the model's shape, and what they are.

    Args:
        prepared: The model.
        images: Those of whoever exports; None for photographs.

    Raises:
        ValueError: If they are not of the model's shape.

    """
    shape = prepared.model.input_shape[1:]
    if images is None:
        return photographs(shape[:2], channels=shape[2]), DESCRIPTION
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[1:] != tuple(shape) or not len(images):
        raise ValueError(
            f"`images` must be of shape (images, {', '.join(map(str, shape))}), pixels "
            f"in [0, 255]. Received: shape={images.shape}"
        )
    return images.astype("float32"), "images of one's own"
