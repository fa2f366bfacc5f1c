"""What a server can ask of a model: the functions of a SavedModel."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import keras
import tensorflow as tf

from keras_cait.data.images.evaluation_transform import EvaluationView
from keras_cait.export.folding.fold import fold
from keras_cait.export.pipeline.preparation import Prepared
from keras_cait.export.saved_model.served_images import (
    pixels_of_arrays,
    pixels_of_files,
)
from keras_cait.models.logits import head_logits
from keras_cait.typing import Tensor


class Signatures(tf.Module):
    """A model with its view of images, in TensorFlow alone.

    `serving_default` takes `images`, `(batch,)` strings, each a JPEG or PNG, and
    returns the `top` most probable classes, each output `(batch, top)`, the most
    probable first: `classes` (labels, if known), `indices` and `scores`
    (probabilities).

    The others take `images`, `(batch, height, width, channels)` float32 in [0, 255]
    of any size, resized and cropped likewise:

    `probabilities` gives `probabilities`, `(batch, classes)`.
    `features` gives `features`, `(batch, dim)`: the vector that the head reads, the
    class token behind the last norm or the mean over a convnet's map; of a distilled
    model the mean of both tokens.
    `heads`, of a distilled model, gives `class` and `distillation`, `(batch, classes)`:
    the probabilities of each head for itself.

    Args:
        prepared: The model.
        top: How many of the likeliest classes `serving_default` gives.

    Raises:
        ValueError: If `top` is not between 1 and the number of classes, or the model
            takes neither color nor gray.

    """

    def __init__(self, prepared: Prepared, *, top: int) -> None:
        super().__init__(name="served")
        height, width, channels = prepared.model.input_shape[1:]
        classes = prepared.model.output_shape[-1]
        if not 1 <= top <= classes:
            raise ValueError(
                f"`top` must be between 1 and the {classes} classes of the model. "
                f"Received: top={top}"
            )
        if channels not in (1, 3):
            raise ValueError(
                "Expected a model of color images or of gray ones, 3 channels or 1. "
                f"Received: {prepared.model.name!r} with {channels} channels."
            )
        self._labels = prepared.labels
        self._top = top
        self.view = EvaluationView(
            image_size=(height, width),
            crop_pct=prepared.preprocessing.crop_pct,
            interpolation=prepared.preprocessing.interpolation,
            channels=channels,
        )
        parts = fold(model_parts(prepared.reference))
        # All that is kept of Keras: the file holds plain variables.
        self.weights = [variable.value for variable in parts.variables]
        self._is_distilled = "distillation" in parts.output

        # One graph each, which all signatures call.
        def body(pixels: Tensor) -> dict[str, Tensor]:
            return parts(_inputs(pixels, prepared), training=False)

        def viewed(images: Tensor) -> Tensor:
            return pixels_of_arrays(images, self.view)

        pixels = tf.TensorSpec((None, height, width, channels), "uint8")
        with _inlined_functions():
            self._body = _traced(body, pixels)
        self._images = tf.TensorSpec((None, None, None, channels), name="images")
        self._viewed = _traced(viewed, self._images)

    def functions(self) -> dict[str, tf.types.experimental.ConcreteFunction]:
        """The signatures by name, traced."""
        files = tf.TensorSpec((None,), "string", name="images")
        functions = {
            "serving_default": _traced(self._classify, files),
            "probabilities": _traced(self._probabilities, self._images),
            "features": _traced(self._features, self._images),
        }
        if self._is_distilled:
            functions["heads"] = _traced(self._heads, self._images)
        return functions

    def _classify(self, images: Tensor) -> dict[str, Tensor]:
        logits = _mean_logits(self._body(pixels_of_files(images, self.view)))
        scores, indices = tf.math.top_k(tf.nn.softmax(logits), self._top)
        found = {"indices": indices, "scores": scores}
        if self._labels is None:
            return found
        with tf.device("CPU"):  # where strings are
            return {"classes": tf.gather(tf.constant(self._labels), indices), **found}

    def _probabilities(self, images: Tensor) -> dict[str, Tensor]:
        logits = _mean_logits(self._body(self._viewed(images)))
        return {"probabilities": tf.nn.softmax(logits)}

    def _features(self, images: Tensor) -> dict[str, Tensor]:
        parts = self._body(self._viewed(images))
        return {"features": parts["features"]}

    def _heads(self, images: Tensor) -> dict[str, Tensor]:
        parts = self._body(self._viewed(images))
        return {name: tf.nn.softmax(logits) for name, logits in _logits(parts).items()}


def model_parts(model: keras.Model) -> keras.Model:
    """The same model, ending in what signatures are made of.

    Args:
        model: A classifier of this package.

    Returns:
        A `keras.Model` that gives a dictionary: `features`, `(batch, dim)`, and
        the logits of each head, `class` and perhaps `distillation`.

    Example:
        >>> import keras_cait
        >>> model = keras_cait.DeiT(
        ...     input_shape=(32, 32, 3), patch_size=8, embed_dim=32, depth=1,
        ...     num_heads=4, distilled=True, classes=10,
        ... )
        >>> sorted(model_parts(model).output)
        ['class', 'distillation', 'features']

    """
    logits = head_logits(model)
    vectors = [model.get_layer(_HEADS[name]).input for name in logits]
    features = vectors[0] if len(vectors) == 1 else keras.layers.Average()(vectors)
    return keras.Model(model.input, {"features": features, **logits}, name=model.name)


_HEADS = {"class": "head", "distillation": "head_distillation"}  # and their layers


def _logits(parts: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: parts[name] for name in _HEADS if name in parts}


def _mean_logits(parts: dict[str, Tensor]) -> Tensor:
    logits = list(_logits(parts).values())
    return tf.add_n(logits) / len(logits)


def _inputs(pixels: Tensor, prepared: Prepared) -> Tensor:
    """Pixels as the model takes them; see `Prepared.normalized`."""
    pixels = tf.cast(pixels, "float32")
    if prepared.takes_pixels:
        return pixels
    mean, std = (tf.constant(of, "float32") for of in (prepared.mean, prepared.std))
    return (pixels / 255 - mean) / std


@contextlib.contextmanager
def _inlined_functions() -> Iterator[None]:
    """Leaves out XLA, which Keras calls for grouped convolutions and servers may lack.

    The operators are the same, and TensorFlow runs them without.
    """
    before = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(before)


def _traced(
    function: Callable[[Tensor], Any], spec: tf.TensorSpec
) -> tf.types.experimental.ConcreteFunction:
    return tf.function(function, autograph=False).get_concrete_function(spec)
