"""What a TFLite file says of itself: labels and normalisation, as phones read them."""

import io
import struct
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
from flatbuffers.number_types import Float32Flags, UOffsetTFlags
from keras_cait.export.tflite_file import pack, schema, unpack

BUFFER = "TFLITE_METADATA"
IDENTIFIER = b"M001"
LABELS_FILE = "labels.txt"
PARSER_VERSION = "1.0.0"  # of the schema, from which on all that is written is known

# The schema's numbers: members of unions and enumerations, then the fields of tables.
_IMAGE_PROPERTIES = 2
_NORMALIZATION_OPTIONS = 1
_AXIS_LABELS = 2
_COLOUR_SPACES = {3: 1, 1: 2}  # by channels: RGB and GRAYSCALE
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
    """What is known of a classifier of images.

    Attributes:
        name: Of the model.
        description: In a sentence.
        mean: That is taken off the pixels of each channel, in [0, 255]; one number,
            0, if the model normalises by itself.
        std: By which they are divided then; 1 likewise.
        labels: Names of the classes, in order, or None.
    """

    name: str
    description: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    labels: tuple[str, ...] | None = None


def add_metadata(content: bytes, metadata: TfliteMetadata, channels: int = 3) -> bytes:
    """The content of a file with metadata and labels inside.

    The metadata becomes a buffer of the file, the labels a file `labels.txt` in a zip
    archive behind it: what the task libraries of Android and iOS read, and Python's
    `zipfile`. A label is a line, so line breaks in it become spaces.

    Args:
        content: Of a TFLite file without metadata.
        metadata: To add.
        channels: Of its images.

    Raises:
        ValueError: If it is no TFLite file, or has metadata.

    Reference:
        `metadata_schema.fbs` of TensorFlow Lite Support, version 1.0 of its fields,
        https://www.tensorflow.org/lite/models/convert/metadata

    """
    model = unpack(content)
    rows = list(model.metadata or ())
    if any(row.name in (BUFFER, BUFFER.encode()) for row in rows):
        raise ValueError("Expected a TFLite file without metadata. Received: one with.")
    buffer = schema().BufferT()
    buffer.data = np.frombuffer(_written(metadata, channels), "uint8")
    model.buffers.append(buffer)
    model.metadata = [
        *rows,
        schema().MetadataT(name=BUFFER, buffer=len(model.buffers) - 1),
    ]
    whole = io.BytesIO(pack(model))
    if metadata.labels is not None:
        lines = "".join(" ".join(label.split()) + "\n" for label in metadata.labels)
        # Not compressed: the libraries read it where it lies.
        with zipfile.ZipFile(whole, "a", zipfile.ZIP_STORED) as archive:
            # One date for all, so that equal models make equal files.
            archive.writestr(zipfile.ZipInfo(LABELS_FILE), lines)
    return whole.getvalue()


def read_metadata(path: Path | str) -> TfliteMetadata:
    """Reads the metadata of a file back.

    Args:
        path: A TFLite file with the metadata of an image classifier.

    Raises:
        ValueError: If it has none.

    """
    content = Path(path).read_bytes()
    data = next(
        (
            row
            for row in unpack(content).metadata or ()
            if row.name in (BUFFER, BUFFER.encode())
        ),
        None,
    )
    if data is None:
        raise ValueError(f"Expected a TFLite file with metadata. Received: {path}")
    buffer = unpack(content).buffers[data.buffer].data
    model = _Table.root(np.asarray(buffer, "uint8").tobytes())
    graph = model.tables(_MODEL["graphs"])[0]
    image = graph.tables(_GRAPH["inputs"])[0]
    scores = graph.tables(_GRAPH["outputs"])[0]
    normalisation = image.tables(_TENSOR["process_units"])[0].table(1)
    labels = None
    for file in scores.tables(_TENSOR["files"]):
        with zipfile.ZipFile(path) as archive:
            labels = tuple(archive.read(file.text(0)).decode().splitlines())
    return TfliteMetadata(
        name=model.text(_MODEL["name"]),
        description=model.text(_MODEL["description"]),
        mean=normalisation.floats(0),
        std=normalisation.floats(1),
        labels=labels,
    )


def _written(metadata: TfliteMetadata, channels: int) -> bytes:
    """The metadata as a flatbuffer, from the inside out."""
    write = _Writer()
    properties = write.table({0: (_COLOUR_SPACES.get(channels, 0), "Int8")})
    ends = np.array([[0.0], [255.0]]) - metadata.mean
    lowest, highest = ends / np.array(metadata.std)
    image = write.table(
        {
            _TENSOR["name"]: write.text("image"),
            _TENSOR["description"]: write.text("Pixels in [0, 255], normalised."),
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
    files = [] if metadata.labels is None else [_labels_file(write)]
    scores = write.table(
        {
            _TENSOR["name"]: write.text("probability"),
            _TENSOR["description"]: write.text("Of each class; they add up to 1."),
            _TENSOR["stats"]: write.table(
                {0: write.floats([1.0]), 1: write.floats([0.0])}
            ),
            **({_TENSOR["files"]: write.tables(*files)} if files else {}),
        }
    )
    graph = write.table(
        {_GRAPH["inputs"]: write.tables(image), _GRAPH["outputs"]: write.tables(scores)}
    )
    root = write.table(
        {
            _MODEL["name"]: write.text(metadata.name),
            _MODEL["description"]: write.text(metadata.description),
            _MODEL["graphs"]: write.tables(graph),
            _MODEL["parser"]: write.text(PARSER_VERSION),
        }
    )
    write.builder.Finish(root, IDENTIFIER)
    return bytes(write.builder.Output())


def _labels_file(write: "_Writer") -> int:
    return write.table(
        {
            0: write.text(LABELS_FILE),
            1: write.text("Name of each class, one a line."),
            2: (_AXIS_LABELS, "Int8"),
        }
    )


class _Writer:
    """Tables of a flatbuffer; each method gives the place of what it wrote."""

    def __init__(self) -> None:
        self.builder = flatbuffers.Builder()

    def text(self, text: str) -> int:
        return self.builder.CreateString(text)

    def floats(self, values: Sequence[float] | np.ndarray) -> int:
        return self.builder.CreateNumpyVector(np.asarray(values, "float32"))

    def tables(self, *places: int) -> int:
        self.builder.StartVector(4, len(places), 4)
        for place in reversed(places):
            self.builder.PrependUOffsetTRelative(place)
        return self.builder.EndVector()

    def table(self, fields: dict[int, int | tuple[int, str]]) -> int:
        """A table: by field a place, or a number and its type."""
        self.builder.StartObject(max(fields) + 1)
        for field, value in fields.items():
            if isinstance(value, tuple):
                number, kind = value
                getattr(self.builder, f"Prepend{kind}Slot")(field, number, 0)
            else:
                self.builder.PrependUOffsetTRelativeSlot(field, value, 0)
        return self.builder.EndObject()


class _Table:
    """A table of a flatbuffer, read by the numbers of its fields."""

    def __init__(self, content: bytes, place: int) -> None:
        self._table = flatbuffers.table.Table(content, place)

    @classmethod
    def root(cls, content: bytes) -> "_Table":
        if content[4:8] != IDENTIFIER:
            raise ValueError(
                "Expected metadata of a TFLite file, which has M001 at its fifth byte. "
                f"Received: {content[4:8]!r}"
            )
        return cls(content, struct.unpack_from("<I", content)[0])

    def _place(self, field: int) -> int | None:
        offset = self._table.Offset(4 + 2 * field)
        return offset + self._table.Pos if offset else None

    def text(self, field: int) -> str:
        place = self._place(field)
        return "" if place is None else self._table.String(place).decode()

    def table(self, field: int) -> "_Table":
        place: Any = self._place(field)
        return _Table(self._table.Bytes, self._table.Indirect(place))

    def tables(self, field: int) -> list["_Table"]:
        return [
            _Table(self._table.Bytes, self._table.Indirect(place))
            for place in self._elements(field, UOffsetTFlags.bytewidth)
        ]

    def floats(self, field: int) -> tuple[float, ...]:
        places = self._elements(field, Float32Flags.bytewidth)
        return tuple(float(self._table.Get(Float32Flags, place)) for place in places)

    def _elements(self, field: int, width: int) -> list[int]:
        offset = self._table.Offset(4 + 2 * field)
        if not offset:
            return []
        start = self._table.Vector(offset)
        return [start + width * i for i in range(self._table.VectorLen(offset))]
