"""Signatures of a SavedModel: the functions that a server can call."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import tensorflow as tf

from keras_cait.data.images.evaluation_transform import EvaluationTransform
from keras_cait.export.pipeline.outputs import HEADS
from keras_cait.export.pipeline.preparation import PreparedModel
from keras_cait.export.saved_model.served_images import (
    transform_arrays,
    transform_files,
)
from keras_cait.models.logits import is_distilled
from keras_cait.models.published.imagenet import preprocess_input
from keras_cait.typing import Tensor

FILES = ("serving_default", "outputs_of_files")
"""Signatures that take files; the others take images."""


class Signatures(tf.Module):
    """A model with its evaluation transform, in TensorFlow alone.

    `serving_default` takes `images`, `(batch,)` strings, each a JPEG or PNG, and
    returns the `top` most probable classes, each output `(batch, top)`, the most
    probable first: `classes` (labels, if known), `indices` and `scores`
    (probabilities).

    The others take `images`, `(batch, height, width, channels)` float32 in [0, 255]
    of any size, resized and cropped likewise:

    `probabilities` returns `probabilities`, `(batch, classes)`.
    `features` returns `features`, `(batch, dim)`, the input of the head: the class
    token after the last norm, or the mean over the feature map of a convnet; of a
    distilled model the mean of both tokens.
    `heads`, of a distilled model, returns `class` and `distillation`, `(batch,
    classes)`, the probabilities of each head.
    `outputs`, if outputs are given, returns them together from one run of the model;
    `outputs_of_files` does so for files.

    Args:
        prepared: A model with the outputs of `served_outputs`.
        top: Number of classes that `serving_default` returns.
        outputs: Names of prepared outputs.
    """

    def __init__(
        self, prepared: PreparedModel, *, top: int, outputs: Sequence[str] = ()
    ) -> None:
        super().__init__(name="served")
        channels = prepared.model.input_shape[-1]
        if not 1 <= top <= prepared.classes:
            raise ValueError(
                f"`top` must be between 1 and the {prepared.classes} classes of the "
                f"model. Received: top={top}"
            )
        if channels not in (1, 3):
            raise ValueError(
                "Expected a model of color images or of gray ones, 3 channels or 1. "
                f"Received: {prepared.model.name!r} with {channels} channels."
            )
        self._labels = prepared.labels
        self._top = top
        self._outputs = tuple(outputs)
        self._transform = EvaluationTransform.from_preprocessing(
            prepared.preprocessing, channels=channels
        )
        # Nothing else of the Keras model is saved: the file holds plain variables.
        self.weights = [variable.value for variable in prepared.model.variables]
        self._is_distilled = {*HEADS} <= {*prepared.outputs}

        # One graph each, which all signatures call.
        def body(pixels: Tensor) -> dict[str, Tensor]:
            return prepared.model(_model_inputs(pixels, prepared), training=False)

        def transform(images: Tensor) -> Tensor:
            return transform_arrays(images, self._transform)

        pixels = tf.TensorSpec(prepared.model.input_shape, "uint8")
        with _without_xla():
            self._body = _traced(body, pixels)
        self._images = tf.TensorSpec((None, None, None, channels), name="images")
        self._transformed = _traced(transform, self._images)

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
        if self._outputs:
            functions["outputs"] = _traced(self._chosen, self._images)
            functions["outputs_of_files"] = _traced(self._chosen_of_files, files)
        return functions

    def _classify(self, images: Tensor) -> dict[str, Tensor]:
        found = self._of_files(images)
        scores, indices = tf.math.top_k(found["probabilities"], self._top)
        outputs = {"indices": indices, "scores": scores}
        if self._labels is None:
            return outputs
        with tf.device("CPU"):  # GPUs have no strings
            return {"classes": tf.gather(tf.constant(self._labels), indices), **outputs}

    def _probabilities(self, images: Tensor) -> dict[str, Tensor]:
        return _selected(self._of_images(images), "probabilities")

    def _features(self, images: Tensor) -> dict[str, Tensor]:
        return _selected(self._of_images(images), "features")

    def _heads(self, images: Tensor) -> dict[str, Tensor]:
        found = self._of_images(images)
        return {
            name.removesuffix("_logits"): tf.nn.softmax(found[name]) for name in HEADS
        }

    def _chosen(self, images: Tensor) -> dict[str, Tensor]:
        return _selected(self._of_images(images), *self._outputs)

    def _chosen_of_files(self, images: Tensor) -> dict[str, Tensor]:
        return _selected(self._of_files(images), *self._outputs)

    def _of_images(self, images: Tensor) -> dict[str, Tensor]:
        return self._body(self._transformed(images))

    def _of_files(self, images: Tensor) -> dict[str, Tensor]:
        return self._body(transform_files(images, self._transform))


def _selected(found: dict[str, Tensor], *names: str) -> dict[str, Tensor]:
    return {name: found[name] for name in names}


def served_outputs(model: keras.Model, outputs: Sequence[str] = ()) -> tuple[str, ...]:
    """Outputs of a model that the signatures need, with the given ones."""
    heads = ("heads",) if is_distilled(model) else ()
    return tuple(dict.fromkeys(("probabilities", "features", *heads, *outputs)))


def _model_inputs(pixels: Tensor, prepared: PreparedModel) -> Tensor:
    """As `PreparedModel.model_inputs`, for tensors."""
    if not prepared.takes_pixels:
        pixels = preprocess_input(pixels, preprocessing=prepared.preprocessing)
    return tf.cast(pixels, "float32")


@contextlib.contextmanager
def _without_xla() -> Iterator[None]:
    """Disables XLA, which Keras uses for grouped convolutions and servers may lack.

    TensorFlow runs the same operators without XLA.
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
