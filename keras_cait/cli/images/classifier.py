"""A classifier for image files: its model, transform and class names."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np

from keras_cait.data.batches import evaluation_batches
from keras_cait.data.images.decoding import decode
from keras_cait.data.images.evaluation_transform import EvaluationTransform
from keras_cait.data.images.orientation import stored_orientation, upright
from keras_cait.data.labeled_images import IndexedImages, images_in_files
from keras_cait.data.sources.unreadable_images import name_unreadable_images
from keras_cait.models.logits import output_kind
from keras_cait.models.published.imagenet import preprocess_input
from keras_cait.models.published.model_source import (
    RANDOM,
    ModelSource,
    load_source,
)
from keras_cait.models.published.preprocessing import preprocessing_or_default
from keras_cait.models.published.saved_models import check_classifier
from keras_cait.typing import Tensor


@dataclass(frozen=True)
class ImageClassifier:
    """A classifier, the transform of its images, and the names of its classes."""

    model: keras.Model
    transform: EvaluationTransform
    labels: tuple[str, ...] | None
    is_random: bool  # its weights

    def batches(self, paths: Sequence[Path], batch_size: int) -> Iterator[np.ndarray]:
        """Files as the model sees them, `(batch, height, width, channels)` float32.

        They are pixels in [0, 255], upright as the EXIF orientation of a photograph
        says. Raises `ValueError` if one cannot be decoded.
        """
        images = _upright_images(paths)
        with name_unreadable_images(images):
            for pixels, _ in evaluation_batches(images, self.transform, batch_size):
                yield pixels.numpy()

    def inputs(self, pixels: np.ndarray) -> np.ndarray:
        """Images in [0, 255] as inputs of the model."""
        return preprocess_input(pixels, preprocessing=self.model)

    def probabilities(self, pixels: np.ndarray) -> np.ndarray:
        """Probabilities of images in [0, 255], `(batch, classes)`."""
        outputs = self.model.predict_on_batch(self.inputs(pixels))
        if output_kind(self.model) == "logits":
            outputs = keras.ops.convert_to_numpy(keras.ops.softmax(outputs))
        return outputs


def load(
    name: str,
    *,
    weights: str | None = None,
    labels: Path | None = None,
    image_size: int | None = None,
) -> ImageClassifier:
    """Builds a model by name, or loads a `.keras` file.

    Raises `ValueError` if it does not end in logits or probabilities.
    """
    loaded = load_source(
        ModelSource(name=name, weights=weights, labels=labels, image_size=image_size)
    )
    check_classifier(loaded.model, name)
    if output_kind(loaded.model) is None:
        raise ValueError(
            "Expected a classifier that ends in logits or in a softmax. Received: "
            f"{name}, whose last activation is another one."
        )
    channels = loaded.model.input_shape[-1]
    transform = EvaluationTransform.from_preprocessing(
        preprocessing_or_default(loaded.model),
        channels=channels if channels in (1, 3) else None,
    )
    is_random = loaded.weights == RANDOM
    return ImageClassifier(loaded.model, transform, loaded.labels, is_random)


def _upright_images(paths: Sequence[Path]) -> IndexedImages:
    """Decoded images, with their stored orientations as labels."""
    orientations = [stored_orientation(path) for path in paths]
    files = images_in_files([str(path) for path in paths], orientations)

    def read(index: Tensor) -> tuple[Tensor, Tensor]:
        record, orientation = files.read(index)
        return upright(decode(record), orientation), orientation

    return replace(files, reader=read)
