"""A classifier for image files: its model, transform and class names."""

from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from keras_cait.data.image_files import printable
from keras_cait.data.images.evaluation_transform import EvaluationTransform
from keras_cait.data.sources.unreadable_images import short_message
from keras_cait.export.pipeline.model_source import ModelSource, load_source
from keras_cait.models.logits import output_kind
from keras_cait.models.pixel_inputs import takes_pixels
from keras_cait.models.published.imagenet import preprocess_input
from keras_cait.models.published.preprocessing import preprocessing_or_default
from keras_cait.models.published.saved_models import load_classifier


@dataclass(frozen=True)
class ImageClassifier:
    """A classifier, the transform of its images, and the names of its classes."""

    model: keras.Model
    transform: EvaluationTransform
    labels: tuple[str, ...] | None

    def read(self, path: Path) -> np.ndarray:
        """A file as the model sees it, `(height, width, channels)` uint8.

        Raises `ValueError` if it cannot be decoded.
        """
        files = tf.data.Dataset.from_tensors(path.read_bytes())
        try:
            return files.map(self.transform).get_single_element().numpy()
        except tf.errors.OpError as error:
            raise ValueError(
                f"Expected an image. Received: {printable(path)}, which cannot be "
                f"decoded ({short_message(error)})."
            ) from error

    def inputs(self, pixels: np.ndarray) -> np.ndarray:
        """Images in [0, 255] as inputs of the model, float32."""
        if not takes_pixels(self.model):
            preprocessing = preprocessing_or_default(self.model)
            pixels = preprocess_input(pixels, preprocessing=preprocessing)
        return pixels.astype("float32")

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
    """Builds a model by name, or loads a `.keras` file."""
    source = ModelSource(
        name=name, weights=weights, labels=labels, image_size=image_size
    )
    if name.endswith(".keras"):
        load_classifier(name)  # the error about a model that is none
    loaded = load_source(source)
    channels = loaded.model.input_shape[-1]
    transform = EvaluationTransform.from_preprocessing(
        preprocessing_or_default(loaded.model),
        channels=channels if channels in (1, 3) else None,
    )
    return ImageClassifier(loaded.model, transform, loaded.labels)
