"""Metadata of TFLite files: labels and normalization."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from keras_cait.export.pipeline.outputs import DESCRIPTIONS, OF_CLASSES
from keras_cait.export.tflite.file import schema, text_of, unpack
from keras_cait.export.tflite.flatbuffer_tables import Table, Writer

BUFFER = "TFLITE_METADATA"
IDENTIFIER = b"M001"
LABELS_FILE = "labels.txt"
PARSER_VERSION = "1.0.0"  # the oldest schema version with all fields written here
_NAMES = {"probabilities": "probability"}  # as the libraries have it
_TEXTS = ("name", "description")
_BETWEEN_0_AND_1 = ("probabilities", "class_attention")

# Numbers of the schema: members of unions and enumerations, then fields of tables.
_IMAGE_PROPERTIES = 2
_NORMALIZATION_OPTIONS = 1
_AXIS_LABELS = 2
_COLOR_SPACES = {3: 1, 1: 2}  # by channels: RGB and GRAYSCALE
_MODEL = {"name": 0, "description": 1, "version": 2, "graphs": 3, "parser": 7}
_GRAPH = {"inputs": 2, "outputs": 3}
_TENSOR = {
    "name": 0,
    "description": 1,
    "content": 3,
    "process_units": 4,
    "stats": 5,
    "files": 6,
}


@dataclass(frozen=True, kw_only=True)
class TfliteMetadata:
    """Metadata of an image classifier.

    Attributes:
        name: Name of the model.
        description: Description in a sentence.
        mean: Mean to subtract from each channel, in [0, 255]; `(0,)` if the model
            normalizes its input.
        std: Standard deviation to divide by; `(1,)` if the model normalizes its input.
        labels: Names of the classes, in order, or None.
        outputs: Names of the outputs and their descriptions, in order.
    """

    name: str
    description: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    labels: tuple[str, ...] | None = None
    outputs: Mapping[str, str] = field(
        default_factory=lambda: {
            "probabilities": DESCRIPTIONS["probabilities"],
        }
    )


def add_metadata(model: Any, metadata: TfliteMetadata, channels: int = 3) -> None:
    """Adds metadata as the task libraries of Android and iOS read it.

    `with_labels` appends the labels themselves.

    Args:
        model: A `ModelT` without metadata, changed in place.
        metadata: The metadata.
        channels: Number of channels of the images.

    Raises:
        ValueError: If the model already has metadata.

    Example:
        >>> import keras
        >>> from keras_cait.export.tflite.conversion import convert
        >>> from keras_cait.export.tflite.file import pack, unpack
        >>> metadata = TfliteMetadata(
        ...     name="m", description="", mean=(0.0,), std=(1.0,), labels=("cat", "dog")
        ... )
        >>> image = keras.Input((1, 1, 3))
        >>> model = unpack(convert(keras.Model(image, keras.layers.Flatten()(image))))
        >>> add_metadata(model, metadata)
        >>> content = with_labels(pack(model), metadata.labels)
        >>> read_metadata(content) == metadata
        True

    Reference:
        `metadata_schema.fbs` of TensorFlow Lite Support, version 1.0 of its fields,
        https://www.tensorflow.org/lite/models/convert/metadata

    """
    if _buffer_of(model) is not None:
        raise ValueError(
            "Expected a TFLite file without metadata. Received: one with metadata."
        )
    buffer = schema().BufferT()
    buffer.data = np.frombuffer(_written(metadata, channels), "uint8")
    model.buffers.append(buffer)
    model.metadata = [
        *(model.metadata or ()),
        schema().MetadataT(name=BUFFER, buffer=len(model.buffers) - 1),
    ]


def with_labels(content: bytes, labels: Sequence[str] | None) -> bytes:
    """Appends the labels to the content of a TFLite file.

    They are a file `labels.txt` in an appended zip archive, which Python's `zipfile`
    reads too. Each label is one line, so line breaks inside it become spaces.

    Args:
        content: Content of a TFLite file.
        labels: Names of the classes, in order; None for no labels.

    """
    if labels is None:
        return content
    whole = io.BytesIO(content)
    lines = "".join(" ".join(label.split()) + "\n" for label in labels)
    # Not compressed, because the libraries read the labels in place.
    with zipfile.ZipFile(whole, "a", zipfile.ZIP_STORED) as archive:
        # A fixed date, so that equal models make equal files.
        archive.writestr(zipfile.ZipInfo(LABELS_FILE), lines)
    return whole.getvalue()


def read_metadata(file: Path | str | bytes) -> TfliteMetadata:
    """Reads the metadata of a file.

    Args:
        file: A TFLite file with the metadata of an image classifier, or its content.

    Raises:
        ValueError: If the file has no metadata.

    """
    content = file if isinstance(file, bytes) else Path(file).read_bytes()
    data = _buffer_of(unpack(content))
    if data is None:
        raise ValueError(
            "Expected a TFLite file with metadata. Received: "
            f"{f'{len(content)} bytes' if isinstance(file, bytes) else file} without."
        )
    if data[4:8] != IDENTIFIER:
        raise ValueError(
            "Expected metadata of a TFLite file, with M001 at its fifth byte. "
            f"Received: {data[4:8]!r}"
        )
    model = Table.root(data)
    graph = model.tables(_MODEL["graphs"])[0]
    image = graph.tables(_GRAPH["inputs"])[0]
    outputs = graph.tables(_GRAPH["outputs"])
    normalization = image.tables(_TENSOR["process_units"])[0].table(1)
    labels = None
    for row in (file for output in outputs for file in output.tables(_TENSOR["files"])):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            labels = tuple(archive.read(row.text(0)).decode().splitlines())
    names = {theirs: ours for ours, theirs in _NAMES.items()}
    described = [[row.text(_TENSOR[key]) for key in _TEXTS] for row in outputs]
    return TfliteMetadata(
        name=model.text(_MODEL["name"]),
        description=model.text(_MODEL["description"]),
        mean=normalization.floats(0),
        std=normalization.floats(1),
        labels=labels,
        outputs={names.get(name, name): text for name, text in described},
    )


def _buffer_of(model: Any) -> bytes | None:
    """The bytes of the metadata of a `ModelT`, or None."""
    for row in model.metadata or ():
        if text_of(row.name) == BUFFER:
            return np.asarray(model.buffers[row.buffer].data, "uint8").tobytes()
    return None


def _written(metadata: TfliteMetadata, channels: int) -> bytes:
    """The metadata as a flatbuffer."""
    write = Writer()
    properties = write.table({0: (_COLOR_SPACES.get(channels, 0), "Int8")})
    ends = np.array([[0.0], [255.0]]) - metadata.mean
    lowest, highest = ends / np.array(metadata.std)
    image = write.table(
        {
            _TENSOR["name"]: write.text("image"),
            _TENSOR["description"]: write.text("Pixels in [0, 255], normalized."),
            _TENSOR["content"]: write.table(
                {0: (_IMAGE_PROPERTIES, "Uint8"), 1: properties}
            ),
            _TENSOR["process_units"]: write.tables(
                write.table(
                    {
                        0: (_NORMALIZATION_OPTIONS, "Uint8"),
                        1: write.table(
                            {
                                0: write.floats(metadata.mean),
                                1: write.floats(metadata.std),
                            }
                        ),
                    }
                )
            ),
            _TENSOR["stats"]: write.table(
                {0: write.floats(highest), 1: write.floats(lowest)}
            ),
        }
    )
    outputs = [
        _output(write, name, description, metadata.labels)
        for name, description in metadata.outputs.items()
    ]
    graph = write.table(
        {
            _GRAPH["inputs"]: write.tables(image),
            _GRAPH["outputs"]: write.tables(*outputs),
        }
    )
    root = write.table(
        {
            _MODEL["name"]: write.text(metadata.name),
            _MODEL["description"]: write.text(metadata.description),
            _MODEL["graphs"]: write.tables(graph),
            _MODEL["parser"]: write.text(PARSER_VERSION),
        }
    )
    return write.finished(root, IDENTIFIER)


def _output(
    write: Writer, name: str, description: str, labels: Sequence[str] | None
) -> int:
    has_labels = labels is not None and name in OF_CLASSES
    files = [_labels_file(write)] if has_labels else []
    fields: dict[int, int | tuple[int, str]] = {
        _TENSOR["name"]: write.text(_NAMES.get(name, name)),
        _TENSOR["description"]: write.text(description),
    }
    if name in _BETWEEN_0_AND_1:
        fields[_TENSOR["stats"]] = write.table(
            {0: write.floats([1.0]), 1: write.floats([0.0])}
        )
    if files:
        fields[_TENSOR["files"]] = write.tables(*files)
    return write.table(fields)


def _labels_file(write: Writer) -> int:
    return write.table(
        {
            0: write.text(LABELS_FILE),
            1: write.text("Name of each class, one a line."),
            2: (_AXIS_LABELS, "Int8"),
        }
    )
