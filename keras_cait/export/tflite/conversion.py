"""Conversion of Keras models to TFLite."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import keras
import tensorflow as tf
from tensorflow.lite.python.convert_phase import ConverterError
from tensorflow.python.framework.convert_to_constants import (
    convert_variables_to_constants_v2,
)

from keras_cait.export.folding.full_precision import in_float32
from keras_cait.export.pipeline.outputs import named
from keras_cait.terminal.captured_stderr import captured_stderr

SIGNATURE = "serving_default"
INPUT = "images"
"""Names of the signature and its input; the outputs have those of the model."""


def convert(model: keras.Model, *, halves: bool = False) -> bytes:
    """The content of a TFLite file for one image.

    Args:
        model: From images to outputs by name, or to probabilities, in float32.
        halves: Whether weights are stored as float16; computation is in float32.

    Raises:
        ValueError: If TFLite lacks an operator of the model.

    """
    model = in_float32(model, batch_size=1)
    image = tf.TensorSpec(model.input_shape, tf.float32, name=INPUT)
    whole = tf.function(lambda images: named(model(images, training=False)))
    traced = whole.get_concrete_function(image)
    # As constants, because variables of a SavedModel would be missing in the file.
    constant = convert_variables_to_constants_v2(traced)

    outputs = tf.function(
        lambda images: tf.nest.pack_sequence_as(
            traced.structured_outputs, constant(images)
        ),
        input_signature=[image],
    )

    module = tf.Module()
    module.outputs = outputs
    with tempfile.TemporaryDirectory() as folder, captured_stderr() as written:
        tf.saved_model.save(
            module, folder, signatures={SIGNATURE: outputs.get_concrete_function()}
        )
        return _converted(Path(folder), halves, written)


def _converted(folder: Path, halves: bool, written: Callable[[], str]) -> bytes:
    # By default it uses built-in operators only.
    converter = tf.lite.TFLiteConverter.from_saved_model(str(folder))
    if halves:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
    try:
        return converter.convert()
    except ConverterError as error:
        raise ValueError(
            "Every operator must be built into TFLite. Received: a model "
            f"that cannot be converted: {error} {written()[-2000:]}"
        ) from error
