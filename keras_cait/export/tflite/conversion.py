"""Keras models to the content of TFLite files, weights inside."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import keras
import tensorflow as tf
from tensorflow.lite.python.convert_phase import ConverterError
from tensorflow.python.framework.convert_to_constants import (
    convert_variables_to_constants_v2,
)

from keras_cait.export.pipeline.captured_stderr import captured_stderr

SIGNATURE = "serving_default"
INPUT, OUTPUT = "images", "probabilities"
"""Names by which runtimes know the graph and its ends."""


def convert(model: keras.Model, *, halves: bool = False) -> bytes:
    """The content of a TFLite file for one image.

    Args:
        model: From images to probabilities, in float32.
        halves: Whether weights are kept as float16; they are computed with in float32.

    Raises:
        ValueError: If TFLite has no operator for something in it.

    """
    image = tf.TensorSpec((1, *model.input_shape[1:]), tf.float32, name=INPUT)
    whole = tf.function(lambda images: model(images, training=False))
    # As constants: variables of a SavedModel would be left out of the file.
    constant = convert_variables_to_constants_v2(whole.get_concrete_function(image))

    named = tf.function(
        lambda images: {OUTPUT: constant(images)[0]}, input_signature=[image]
    )

    module = tf.Module()
    module.named = named
    with tempfile.TemporaryDirectory() as folder, captured_stderr() as written:
        tf.saved_model.save(
            module, folder, signatures={SIGNATURE: named.get_concrete_function()}
        )
        return _converted(Path(folder), halves, written)


def _converted(folder: Path, halves: bool, written: Callable[[], str]) -> bytes:
    # Nothing but built-in operators is its default.
    converter = tf.lite.TFLiteConverter.from_saved_model(str(folder))
    if halves:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
    try:
        return converter.convert()
    except ConverterError as error:
        raise ValueError(
            "Every operator must be one that is built into TFLite. Received: a model "
            f"that cannot be converted: {error} {written()[-2000:]}"
        ) from error
