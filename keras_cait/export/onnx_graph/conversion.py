"""Conversion of Keras models to ONNX."""

import contextlib
import dataclasses
import json
import logging
from collections.abc import Iterator
from typing import Any

import keras
import tensorflow as tf

from keras_cait.export.onnx_graph.file import check_operators
from keras_cait.export.onnx_graph.operators import name_operators
from keras_cait.export.pipeline.outputs import DEFAULT_OUTPUTS, named
from keras_cait.export.pipeline.preparation import PreparedModel
from keras_cait.optional_packages import import_optional
from keras_cait.terminal.captured_stderr import captured_stderr

LARGEST_FILE = 2**31 - 2**20  # bytes of weights: protobuf ends at 2 GiB


def check_size(model: keras.Model) -> None:
    """Raises `ValueError` if the weights do not fit into a single ONNX file."""
    size = 4 * model.count_params()  # float32
    if size > LARGEST_FILE:
        raise ValueError(
            "An ONNX file holds less than 2 GiB. Received: a model with "
            f"{size / 2**30:.1f} GiB of weights. Export it as a SavedModel."
        )


def convert(model: keras.Model, opset: int) -> Any:
    """Converts a folded model with one input to an `onnx.ModelProto`.

    Its outputs have the model's names, `probabilities` if it has none. Raises
    `ValueError` if ONNX lacks an operator, which the converter does not report.
    """
    signature = [tf.TensorSpec(model.input_shape, tf.float32, name="images")]

    @tf.function(input_signature=signature)
    def outputs(images: tf.Tensor) -> dict[str, tf.Tensor]:
        return named(model(images, training=False))

    with _without_log(), captured_stderr():
        proto, _ = import_optional("tf2onnx.convert", "export").from_function(
            outputs, input_signature=signature, opset=opset
        )
    for value in (*proto.graph.input, *proto.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    # The converter imports more domains than the graph uses.
    used = {node.domain for node in proto.graph.node} | {""}
    kept = [row for row in proto.opset_import if row.domain in used]
    del proto.opset_import[:]
    proto.opset_import.extend(kept)
    check_operators(proto)
    name_operators(proto, opset)
    return proto


@contextlib.contextmanager
def _without_log() -> Iterator[None]:
    """Turns the converter's log off; the checks report errors."""
    logger = logging.getLogger("tf2onnx")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(level)


def add_metadata(proto: Any, prepared: PreparedModel) -> None:
    """Adds labels, preprocessing and the source of the weights to an ONNX model.

    The outputs get the order of the prepared ones, and are listed if there are others
    than probabilities.
    """
    preprocessing = prepared.preprocessing
    proto.graph.name = prepared.model.name
    proto.graph.output.sort(key=lambda value: prepared.outputs.index(value.name))
    metadata: dict[str, Any] = {
        "model": prepared.model.name,
        "weights": prepared.published_source,
        "input": prepared.input_description,
        "input_range": "[0, 255]" if prepared.takes_pixels else "normalized",
        "image_size": preprocessing.image_size,
        "crop_pct": preprocessing.crop_pct,
        "interpolation": preprocessing.interpolation,
        "mean": preprocessing.mean,
        "std": preprocessing.std,
    }
    if prepared.labels is not None:
        metadata["labels"] = prepared.labels
    if prepared.outputs != DEFAULT_OUTPUTS:
        metadata["outputs"] = prepared.outputs
    if prepared.class_attention is not None:
        metadata["class_attention"] = dataclasses.asdict(prepared.class_attention)
    for name, value in metadata.items():
        text = value if isinstance(value, str) else json.dumps(value)
        proto.metadata_props.add(key=name, value=text)
