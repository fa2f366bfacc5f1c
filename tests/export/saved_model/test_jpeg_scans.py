"""Scans of a JPEG are counted in the image alone, not before or after it."""

import io
import struct
import time

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_cait.data.images.evaluation_transform import EvaluationTransform
from keras_cait.export.saved_model.jpeg_scans import has_more_scans
from keras_cait.export.saved_model.served_images import MAX_SCANS, transform_files
from tests.support.data.photographs import encoded, photograph

VIEW = EvaluationTransform(image_size=(32, 48), crop_pct=0.9, channels=3)
PHOTOGRAPHS = [
    Image.fromarray(photograph(name=f"{it}.jpg")) for it in ("china", "flower")
]
SCAN, END = b"\xff\xda", b"\xff\xd9"
# As dense in what looks like markers as a video of a hundred megabytes.
NOISE = np.random.default_rng(0).choice(
    np.array([0xFF, *range(256)], "uint8"), 2**19, p=[0.1, *[0.9 / 256] * 256]
)
NOISE = NOISE.tobytes()


def box(kind, content):
    """Of an MP4."""
    return struct.pack(">I4s", 8 + len(content), kind) + content


def jpegs():
    """Photographs in every way that coded pixels are laid out."""
    for image in PHOTOGRAPHS:
        yield encoded(image)
        yield encoded(image, progressive=True)
        yield encoded(image, restart_marker_blocks=1)
        yield encoded(image, progressive=True, restart_marker_rows=1)
        yield encoded(image, quality=100, subsampling=0, optimize=True)
    yield encoded(PHOTOGRAPHS[0].convert("L"), progressive=True)


def with_thumbnail(file):
    """A JPEG whose EXIF holds a JPEG, with an end of its own, and many scans."""
    thumbnail = encoded(PHOTOGRAPHS[1].resize((80, 60)))
    thumbnail = thumbnail[:-2] + 200 * SCAN + END
    content = b"Exif\0\0" + thumbnail
    return (
        file[:2]
        + b"\xff\xe1"
        + struct.pack(">H", 2 + len(content))
        + content
        + file[2:]
    )


def with_fill_bytes(file):
    """A JPEG with fill bytes before each of its markers up to the first scan."""
    out, place = file[:2], 2
    while True:
        (length,) = struct.unpack(">H", file[place + 2 : place + 4])
        out += b"\xff\xff" + file[place : place + 2 + length]
        code, place = file[place + 1], place + 2 + length
        if code == SCAN[1]:
            return out + file[place:-2] + b"\xff\xff" + END


TRAILERS = {
    "noise": NOISE,
    "motion photo": box(b"ftyp", b"mp42\0\0\0\0isommp42")
    + box(b"mdat", NOISE + encoded(PHOTOGRAPHS[1]) + 200 * SCAN),
    "another JPEG, progressive with many scans": None,
    "scans alone": 200 * SCAN,
    "fill bytes": 200 * b"\xff\xff\xda",
}


def with_scans(number, file=None):
    """A progressive JPEG whose last scan comes again and again."""
    file = file or encoded(PHOTOGRAPHS[0].resize((83, 61)), progressive=True)
    start = file.rindex(SCAN)
    own = file.count(SCAN)
    return file[:start] + (number - own + 1) * file[start:-2] + END


TRAILERS["another JPEG, progressive with many scans"] = with_scans(150)


@pytest.fixture(scope="module")
def decodable():
    return tf.function(
        lambda file: ~has_more_scans(file, MAX_SCANS),
        input_signature=[tf.TensorSpec((), "string")],
    )


@pytest.fixture(scope="module")
def pixels():
    return tf.function(
        lambda files: transform_files(files, VIEW),
        input_signature=[tf.TensorSpec((None,), "string")],
        autograph=False,
    )


@pytest.mark.parametrize("trailer", TRAILERS)
def test_data_after_the_image_is_not_counted(trailer, pixels):
    after = TRAILERS[trailer]
    assert after.count(SCAN) > MAX_SCANS
    plain = list(jpegs())
    found = pixels(tf.constant([file + after for file in plain]))
    np.testing.assert_array_equal(found, pixels(tf.constant(plain)))


def test_scans_inside_segments_are_not_counted(pixels):
    plain = list(jpegs())
    changed = [with_thumbnail(with_fill_bytes(file)) for file in plain]
    for file in changed:
        Image.open(io.BytesIO(file)).load()
    expected = pixels(tf.constant(plain))
    np.testing.assert_array_equal(pixels(tf.constant(changed)), expected)
    longer = [file + TRAILERS["noise"] for file in changed]
    np.testing.assert_array_equal(pixels(tf.constant(longer)), expected)


@pytest.mark.parametrize("wrap", [bytes, with_fill_bytes, with_thumbnail])
def test_one_scan_more_than_the_limit_is_found(wrap, decodable):
    for after in (b"", *TRAILERS.values()):
        assert decodable(wrap(with_scans(MAX_SCANS)) + after)
        assert not decodable(wrap(with_scans(MAX_SCANS + 1)) + after)
        assert not decodable(wrap(with_scans(3000)) + after)


def hidden(filler):
    """A file of many scans in 64 kB, and before them what may hide so many bytes."""
    file = with_scans(150, encoded(PHOTOGRAPHS[0].resize((16, 16)), progressive=True))
    second = file.index(SCAN, file.index(SCAN) + 2)
    assert len(file) - second < 2**16 - 1
    return file[:second] + filler + file[second:]


@pytest.mark.parametrize(
    "filler",
    [
        b"\xff\x02\xff\xff",  # a code that decoders resynchronize at, no segment
        b"\xff\xbf\xff\xff",
        b"\xff\x01\xff\xff",
        b"\xff\xd0\xff\xff",
        b"\xff\xd8\xff\xff",
        b"\xff\xfe\0\0",
        b"\xff\xfe\0\x02",
        b"\xff\0\xff\xff\xff",
        b"garbage",
    ],
)
def test_scans_after_invalid_segments_are_found(filler, decodable):
    assert not decodable(hidden(filler))


def test_a_million_markers_are_refused_within_seconds(decodable):
    file = encoded(PHOTOGRAPHS[0].resize((83, 61)))
    many = file[:2] + 1_000_000 * b"\xff\xfe\0\x02" + file[2:]
    assert decodable(many)  # and as fast as without them
    started = time.perf_counter()
    assert not decodable(many + TRAILERS["scans alone"])
    assert time.perf_counter() - started < 5


def test_a_truncated_image_gives_an_answer_without_an_error(decodable):
    whole = with_scans(MAX_SCANS) + TRAILERS["scans alone"]
    for end in range(2, len(whole), len(whole) // 40):
        decodable(whole[:end])  # whatever it says, it says without an error
