"""Models as ONNX files, each checked and compared before it is there."""

import contextlib
import functools
import json
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_cait.export.onnx_graph.file import check_onnx, check_operators
from keras_cait.export.onnx_graph.operators import name_operators
from keras_cait.export.pipeline.captured_stderr import captured_stderr
from keras_cait.export.pipeline.comparison import check_difference, compare, measure
from keras_cait.export.pipeline.output_paths import export_target
from keras_cait.export.pipeline.preparation import Prepared, images_to_compare, prepare
from keras_cait.export.pipeline.report import ExportReport, size_on_disk
from keras_cait.optional_packages import import_optional
from keras_cait.processors import processors

OPSETS = range(13, 19)  # 18 is the newest that tf2onnx writes
TOLERANCE = 1e-4  # of the largest output
BATCHES = (1, 3, 16)  # sizes that every file is run with
LARGEST_FILE = 2**31 - 2**20  # bytes of weights: protobuf ends at 2 GiB


def to_onnx(
    model: keras.Model,
    path: Path | str,
    *,
    opset: int = OPSETS[-1],
    labels: Sequence[str] | None = None,
    images: np.ndarray | Path | str | None = None,
    weights: str = "not stated",
    overwrite: bool = False,
    verbose: bool = True,
) -> ExportReport:
    """Writes a classifier as an ONNX file, and a report beside it.

    The file takes `images`, `(batch, height, width, channels)` float32 as the Keras
    model does, and gives `probabilities`, `(batch, classes)`, for batches of any
    size. It is checked by onnx, loaded by onnxruntime and compared with the Keras
    model before it is there. Labels, image size, mean, standard deviation and the
    source of the weights are metadata inside.

    Args:
        model: A classifier as the builders of this package make it, of any precision.
        path: Where the file is to be; its name ends in ".onnx".
        opset: Version of ONNX's operators, 13 to 18.
        labels: Names of the classes, in order.
        images: To compare on, `(images, height, width, channels)` in [0, 255], or a
            folder; None for photographs.
        weights: Where they came from, for the report.
        overwrite: Whether a file that is there is replaced.
        verbose: Whether the report is printed too.

    Returns:
        What was compared, how fast it is and what it is made of.

    Raises:
        ValueError: If the model cannot be exported, an argument does not fit, or the
            file is not valid or differs from Keras by more than 1e-4 of the largest
            output.
        OSError: If nothing can be written there.
        ModuleNotFoundError: If a package is missing that ONNX needs.

    Example:
        >>> import tempfile, keras_cait
        >>> model = keras_cait.DeiT(
        ...     input_shape=(32, 32, 3), patch_size=16, embed_dim=8, depth=1,
        ...     num_heads=2, classes=3, include_preprocessing=True,
        ... )
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     report = to_onnx(model, f"{folder}/deit.onnx", labels=["a", "b", "c"],
        ...         verbose=False)
        >>> report.comparison.relative_difference < 1e-4, report.details["opset"]
        (True, 18)

    Reference:
        ONNX, https://onnx.ai/onnx/; tf2onnx, https://github.com/onnx/tensorflow-onnx

    """
    path = Path(path)
    if opset not in OPSETS:
        raise ValueError(
            f"`opset` must be {OPSETS[0]} to {OPSETS[-1]}. Received: opset={opset}"
        )
    for package in ("onnx", "onnxruntime", "tf2onnx"):
        import_optional(package, "export")
    with export_target(path, suffix=".onnx", overwrite=overwrite) as target:
        temporary = target.artifact
        prepared = prepare(model, labels=labels, weights=weights)
        check_size(prepared.model)
        pixels, compared = images_to_compare(prepared, images)
        inputs = prepared.normalized(pixels)
        expected = prepared.expected(inputs)
        proto = convert(prepared.model, opset)
        _describe(proto, prepared)
        import_optional("onnx", "export").save(proto, str(temporary))
        graph = check_onnx(temporary)
        threads = processors()
        session = open_session(temporary, threads)
        for size in BATCHES:
            rows = np.arange(size) % len(inputs)
            answers = _run(session, inputs[rows])
            check_difference(compare(expected[rows], answers), TOLERANCE)
        found, latency = measure(
            functools.partial(_run, session), inputs, expected, TOLERANCE
        )
        size = size_on_disk(temporary)
        report = ExportReport(
            path=path,
            format="onnx",
            precision="float32",
            **prepared.described,
            compared=compared,
            comparison=found,
            size_bytes=size,
            latency_ms=latency,
            threads=threads,
            operators=graph.operators,
            largest_rank=graph.largest_rank,
            details={"opset": graph.opset, "batch": "any size"},
        )
        report.write(target.report)
    if verbose:
        report.show()
    return report


def check_size(model: keras.Model) -> None:
    """Refuses a model whose weights no single ONNX file holds.

    Raises:
        ValueError: If they take 2 GiB or more.

    """
    size = 4 * model.count_params()  # float32
    if size > LARGEST_FILE:
        raise ValueError(
            "An ONNX file holds less than 2 GiB. Received: a model with "
            f"{size / 2**30:.1f} GiB of weights. Export it as a SavedModel."
        )


def convert(model: keras.Model, opset: int) -> Any:
    """The `onnx.ModelProto` of a folded model with one input and one output.

    Args:
        model: From images to probabilities.
        opset: Version of ONNX's operators.

    Raises:
        ValueError: If ONNX lacks an operator, which the converter does not tell.

    """
    signature = [tf.TensorSpec(model.input_shape, tf.float32, name="images")]

    @tf.function(input_signature=signature)
    def probabilities(images: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"probabilities": model(images, training=False)}

    with _quiet(), captured_stderr():
        proto, _ = import_optional("tf2onnx.convert", "export").from_function(
            probabilities, input_signature=signature, opset=opset
        )
    for value in (*proto.graph.input, *proto.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    # Nothing is of the other domains that the converter names.
    used = {node.domain for node in proto.graph.node} | {""}
    kept = [row for row in proto.opset_import if row.domain in used]
    del proto.opset_import[:]
    proto.opset_import.extend(kept)
    check_operators(proto)
    name_operators(proto, opset)
    return proto


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps the converter's log off: what is wrong, the checks say."""
    logger = logging.getLogger("tf2onnx")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(level)


def _describe(proto: Any, prepared: Prepared) -> None:
    """Says inside the file what has to be known to use it."""
    preprocessing = prepared.preprocessing
    proto.graph.name = prepared.model.name
    metadata: dict[str, Any] = {
        "model": prepared.model.name,
        "weights": prepared.weights,
        "input": prepared.input,
        "input_range": "[0, 255]" if prepared.takes_pixels else "normalized",
        "image_size": preprocessing.image_size,
        "crop_pct": preprocessing.crop_pct,
        "interpolation": preprocessing.interpolation,
        "mean": prepared.mean,
        "std": prepared.std,
    }
    if prepared.labels is not None:
        metadata["labels"] = prepared.labels
    for name, value in metadata.items():
        text = value if isinstance(value, str) else json.dumps(value)
        proto.metadata_props.add(key=name, value=text)


def open_session(path: Path, threads: int) -> Any:
    """An `onnxruntime.InferenceSession` on the CPU.

    Raises:
        ValueError: If onnxruntime refuses the file.

    """
    onnxruntime = import_optional("onnxruntime", "export")
    errors = onnxruntime.capi.onnxruntime_pybind11_state
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4  # what is wrong is raised
    try:
        return onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
    except (
        errors.Fail,
        errors.InvalidGraph,
        errors.InvalidProtobuf,
        errors.NotImplemented,
    ) as error:
        raise ValueError(f"onnxruntime refuses the file: {error}") from error


def _run(session: Any, images: np.ndarray) -> np.ndarray:
    return session.run(["probabilities"], {"images": images})[0]
