"""Metadata of TFLite files: labels and normalization."""

import zipfile

import flatbuffers
import numpy as np
import pytest

from keras_cait.export.tflite.check import check_tflite
from keras_cait.export.tflite.conversion import convert
from keras_cait.export.tflite.file import pack, unpack
from keras_cait.export.tflite.metadata import (
    TfliteMetadata,
    add_metadata,
    read_metadata,
    with_labels,
)
from keras_cait.export.tflite.runtime import TfliteRuntime
from tests.support.models.tiny_models import tiny_deit

LABELS = ("cat", "Bernese mountain dog", "café", *"defghij")
METADATA = TfliteMetadata(
    name="deit",
    description="Tells cats from dogs, and a café.",
    mean=(123.5, 116.25, 103.5),
    std=(58.5, 57.0, 57.25),
    labels=LABELS,
)


@pytest.fixture(scope="module")
def content():
    return convert(tiny_deit(depth=1))


def described(content, metadata, **options):
    model = unpack(content)
    add_metadata(model, metadata, **options)
    return with_labels(pack(model), metadata.labels)


@pytest.fixture
def path(content, tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(described(content, METADATA))
    return path


def test_metadata_is_read_back(path):
    assert read_metadata(path) == METADATA


def test_metadata_leaves_the_predictions_unchanged(content, path):
    assert check_tflite(path.read_bytes()) == check_tflite(content)
    image = np.random.default_rng(0).standard_normal((1, 32, 32, 3), "float32")
    before, after = (TfliteRuntime(file, 1)(image) for file in (content, path))
    assert before.keys() == after.keys() == METADATA.outputs.keys()
    np.testing.assert_array_equal(after["probabilities"], before["probabilities"])


def test_labels_are_an_uncompressed_file(path):
    with zipfile.ZipFile(path) as archive:
        (entry,) = archive.infolist()
        assert entry.filename == "labels.txt"
        assert entry.compress_type == zipfile.ZIP_STORED
        lines = archive.read(entry).decode().splitlines()
    assert tuple(lines) == METADATA.labels
    # Readers without zip support find the plain lines.
    assert "\nBernese mountain dog\ncafé\n".encode() in path.read_bytes()


def labels_as_phones_read_them(content):
    """Parses the labels like `export/mobile/README.md`, without `zipfile`."""

    def number(place, size):
        return int.from_bytes(content[place : place + size], "little")

    end = len(content) - 22
    if end < 0 or number(end, 4) != 0x06054B50:
        return []
    entry = number(end + 16, 4)
    header = number(entry + 42, 4)
    start = header + 30 + number(header + 26, 2) + number(header + 28, 2)
    text = content[start : start + number(entry + 24, 4)].decode()
    return text.removesuffix("\n").split("\n")


def test_labels_are_at_the_offset_that_the_phone_code_reads(content, path):
    assert tuple(labels_as_phones_read_them(path.read_bytes())) == LABELS
    assert labels_as_phones_read_them(content) == []


def test_weights_that_look_like_an_archive_do_not_hide_the_labels(content):
    model = unpack(content)
    metadata = TfliteMetadata(
        name="m", description="PK\x03\x04PK\x05\x06", mean=(0.0,), std=(1.0,)
    )
    add_metadata(model, metadata)
    bare = pack(model)
    assert bare.count(b"PK\x03\x04") == 1
    assert labels_as_phones_read_them(bare) == []
    labeled = with_labels(bare, LABELS)
    assert tuple(labels_as_phones_read_them(labeled)) == LABELS


def test_an_empty_label_leaves_the_others_in_place(content):
    labels = ("a", "", "c", "")
    found = labels_as_phones_read_them(with_labels(content, labels))
    assert tuple(found) == labels


def test_the_buffer_follows_the_schema(path):
    """Read with the flatbuffers library, by the schema's numbers of fields."""
    model = unpack(path.read_bytes())
    (row,) = (row for row in model.metadata if row.name == b"TFLITE_METADATA")
    data = bytes(model.buffers[row.buffer].data)
    assert flatbuffers.util.GetBufferIdentifier(data, 0) == b"M001"
    root = flatbuffers.table.Table(data, int.from_bytes(data[:4], "little"))

    def table(parent, field):
        return flatbuffers.table.Table(
            data, parent.Indirect(parent.Offset(4 + 2 * field) + parent.Pos)
        )

    def first(parent, field):
        place = parent.Vector(parent.Offset(4 + 2 * field))
        return flatbuffers.table.Table(data, parent.Indirect(place))

    def text(parent, field):
        return parent.String(parent.Offset(4 + 2 * field) + parent.Pos).decode()

    def number(parent, field):
        return data[parent.Offset(4 + 2 * field) + parent.Pos]

    assert text(root, 0) == "deit"
    assert text(root, 7) == "1.0.0"
    graph = first(root, 3)
    image, scores = first(graph, 2), first(graph, 3)
    content = table(image, 3)
    assert number(content, 0) == 2  # ImageProperties
    assert number(table(content, 1), 0) == 1  # RGB
    unit = first(image, 4)
    assert number(unit, 0) == 1  # NormalizationOptions
    options = table(unit, 1)
    mean = np.frombuffer(data, "<f4", 3, options.Vector(options.Offset(4)))
    assert tuple(mean) == METADATA.mean
    stats = table(image, 5)
    highest = np.frombuffer(data, "<f4", 3, stats.Vector(stats.Offset(4)))
    lowest = np.frombuffer(data, "<f4", 3, stats.Vector(stats.Offset(6)))
    np.testing.assert_allclose(highest[0], (255 - 123.5) / 58.5, rtol=1e-6)
    np.testing.assert_allclose(lowest[0], -123.5 / 58.5, rtol=1e-6)
    file = first(scores, 6)
    assert text(file, 0) == "labels.txt"
    assert number(file, 2) == 2  # TENSOR_AXIS_LABELS


def test_a_file_without_labels_has_no_archive(content, tmp_path):
    metadata = TfliteMetadata(name="gray", description="", mean=(0.0,), std=(1.0,))
    path = tmp_path / "model.tflite"
    path.write_bytes(described(content, metadata, channels=1))
    assert read_metadata(path) == metadata
    assert not zipfile.is_zipfile(path)


def test_line_breaks_in_labels_become_spaces(content, tmp_path):
    labels = ("a\nb", "c\td", *"efghijkl")
    metadata = TfliteMetadata(
        name="m", description="d", mean=(0.0,), std=(1.0,), labels=labels
    )
    path = tmp_path / "model.tflite"
    path.write_bytes(described(content, metadata))
    found = read_metadata(path).labels
    assert found is not None
    assert found[:3] == ("a b", "c d", "e")
    assert len(found) == 10


def test_adding_metadata_twice_and_reading_none_are_refused(content, path, tmp_path):
    with pytest.raises(ValueError, match=r"without metadata.*one with"):
        add_metadata(unpack(path.read_bytes()), METADATA)
    bare = tmp_path / "bare.tflite"
    bare.write_bytes(content)
    with pytest.raises(ValueError, match=r"with metadata.*bare\.tflite"):
        read_metadata(bare)


def test_equal_models_make_equal_files(content):
    assert described(content, METADATA) == described(content, METADATA)
