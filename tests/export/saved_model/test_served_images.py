"""Images in a request become what the model is shown in evaluation, pixel for pixel."""

import functools
import struct

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_cait.data.images.evaluation_transform import EvaluationView
from keras_cait.export.saved_model.served_images import (
    pixels_of_arrays,
    pixels_of_files,
)
from tests.data.images.test_decoding import FILES
from tests.data.images.test_evaluation_transform import as_in_timm
from tests.support.data.photographs import encoded, opened, photograph
from tests.support.export.malformed_images import EMPTY, HUGE, WHOLE

VIEW = EvaluationView(image_size=(32, 48), crop_pct=0.9, channels=3)
GRAY = EvaluationView(image_size=(24, 24), crop_pct=0.875, channels=1)
COLOR = Image.fromarray(photograph(61, 83))
ANIMATION = encoded(
    COLOR, "GIF", save_all=True, append_images=[COLOR.rotate(90), COLOR.rotate(180)]
)


def bmp_with_masks(*masks):
    """A BMP of 32 bits a pixel that says which of them are red, green and blue."""
    pixels = np.dstack([photograph(5, 6)[::-1, :, ::-1], np.full((5, 6), 255, "uint8")])
    data = pixels.tobytes()
    start = 14 + 40 + 12
    header = struct.pack("<IHHI", start + len(data), 0, 0, start)
    header += struct.pack("<IiiHHI", 40, 6, 5, 1, 32, 3) + bytes(20)
    return b"BM" + header + struct.pack("<III", *masks) + data


ALL_KINDS = {
    **FILES,
    "animation": ANIMATION,
    "CMYK JPEG": encoded(COLOR.convert("CMYK"), quality=95),
    "BMP with alpha": encoded(COLOR.convert("RGBA"), "BMP"),
    "BMP with masks": bmp_with_masks(0xFF0000, 0xFF00, 0xFF),
    "one pixel": encoded(photograph(1, 1), "PNG"),
    "one pixel, JPEG": encoded(photograph(1, 1)),
    "one row": encoded(photograph(1, 700), "PNG"),
    "one column": encoded(photograph(700, 1)),
}


@functools.cache
def in_a_graph(function, view, spec):
    """As it stands in a SavedModel."""
    return tf.function(
        lambda images: function(images, view), input_signature=[spec], autograph=False
    )


@pytest.fixture
def of_files():
    return in_a_graph(pixels_of_files, VIEW, tf.TensorSpec((None,), "string"))


@pytest.fixture
def of_arrays():
    spec = tf.TensorSpec((None, None, None, 3))
    return in_a_graph(pixels_of_arrays, VIEW, spec)


@pytest.mark.parametrize("view", [VIEW, GRAY], ids=["color", "gray"])
def test_pixels_of_files_are_those_of_the_view(view):
    from_files = in_a_graph(pixels_of_files, view, tf.TensorSpec((None,), "string"))
    found = from_files(tf.constant(list(ALL_KINDS.values()))).numpy()
    assert found.shape == (len(ALL_KINDS), *view.image_size, view.channels)
    for kind, pixels in zip(ALL_KINDS, found, strict=True):
        expected = view(tf.constant(ALL_KINDS[kind]))
        np.testing.assert_array_equal(pixels, expected, kind)


def test_pixels_are_those_of_pil(of_files):
    every = of_files(tf.constant(list(ALL_KINDS.values()))).numpy()
    for kind, found in zip(ALL_KINDS, every, strict=True):
        expected = as_in_timm(opened(ALL_KINDS[kind]), VIEW.image_size, 0.9)
        assert abs(found - expected.astype(int)).max() <= 1, kind  # one gray level


def test_pixels_of_arrays_are_rounded_and_clipped(of_arrays):
    images = np.random.default_rng(0).uniform(-30, 290, (2, 50, 40, 3))
    images = images.astype("float32")
    levels = np.clip(np.round(images), 0, 255).astype("uint8")
    expected = [VIEW(tf.constant(image)) for image in levels]
    np.testing.assert_array_equal(of_arrays(images), expected)


def test_no_images_are_no_pixels(of_files, of_arrays):
    assert of_files(tf.constant([], "string")).shape == (0, 32, 48, 3)
    assert of_arrays(tf.zeros((0, 7, 9, 3))).shape == (0, 32, 48, 3)


def test_a_frame_need_not_fill_its_screen(of_files):
    """Its own pixels count, wherever the file places it."""
    at = WHOLE["GIF"].index(b"\x2c\0\0\0\0\x53\0\x3d\0")
    moved = bytearray(WHOLE["GIF"])
    moved[6:10] = b"\xc8\0\xc8\0"  # the screen, 200 x 200
    moved[at + 1 : at + 5] = b"\x0a\0\x14\0"  # right by 10, down by 20
    both = of_files(tf.constant([WHOLE["GIF"], bytes(moved)])).numpy()
    np.testing.assert_array_equal(both[0], both[1])


def test_a_gif_with_comments_and_colors_of_its_own_is_read(of_files):
    first = WHOLE["GIF"].index(b"\x2c\0\0\0\0\x53\0\x3d\0")
    comment = b"\x21\xfe" + b"\x05hello\x02hi\x03you\0"
    longer = WHOLE["GIF"][:first] + 20 * comment + WHOLE["GIF"][first:]
    both = of_files(tf.constant([WHOLE["GIF"], longer])).numpy()
    np.testing.assert_array_equal(both[0], both[1])
    frames = [COLOR.convert("P"), COLOR.quantize(7), COLOR.quantize(200)]
    for start in frames:  # a table for the first frame, and others
        file = encoded(start, "GIF", save_all=True, append_images=frames)
        np.testing.assert_array_equal(of_files([file])[0], VIEW(file))


def in_tiny_parts(parts):
    """A GIF with a comment of so many parts, of lengths that alternate."""
    first = WHOLE["GIF"].index(b"\x2c\0\0\0\0\x53\0\x3d\0")
    comment = b"\x21\xfe" + parts // 2 * b"\x01a\x02bc" + b"\0"
    return WHOLE["GIF"][:first] + comment + WHOLE["GIF"][first:]


def with_scans(number):
    """A progressive JPEG whose last scan comes again and again."""
    file = WHOLE["progressive"]
    start = file.rindex(b"\xff\xda")
    return file[:start] + number * file[start:-2] + b"\xff\xd9"


CANNOT = {
    **HUGE,
    **EMPTY,
    "50 million pixels": encoded(Image.new("1", (7072, 7072)), "PNG"),
    "text": b"not an image",
    "WebP": encoded(COLOR, "WEBP"),
    "half of a JPEG": WHOLE["JPEG"][: len(WHOLE["JPEG"]) // 2],
    "GIF in tiny parts": in_tiny_parts(100_000),
    "JPEG of a thousand scans": with_scans(1000),
    # Which the decoder takes for gray, and for blue, green and red:
    "BMP with a palette": encoded(COLOR.quantize(16), "BMP"),
    "BMP with other masks": bmp_with_masks(0xFF, 0xFF00, 0xFF0000),
}


def test_what_cannot_be_decoded_is_named(of_files):
    good = ALL_KINDS["PNG"]
    for kind, file in CANNOT.items():
        with pytest.raises(tf.errors.InvalidArgumentError) as refused:
            of_files(tf.constant([good, file, good]))
        said = refused.value.message
        assert "image 1 of the batch cannot be decoded: expected a JPEG" in said, kind
        assert f"Received: {len(file)} bytes" in said, kind
        assert of_files(tf.constant([good])).shape == (1, *VIEW.image_size, 3)


def test_what_is_just_allowed_is_decoded(of_files):
    allowed = [in_tiny_parts(900), with_scans(20), encoded(photograph(1, 65_500))]
    assert of_files(tf.constant(allowed)).shape == (3, 32, 48, 3)
    refused = encoded(np.zeros((1, 65_501, 3), "uint8"), "PNG")
    with pytest.raises(tf.errors.InvalidArgumentError, match="image 0"):
        of_files(tf.constant([refused]))


@pytest.mark.parametrize(
    ("images", "named"),
    [
        (np.full((1, 4, 4, 3), np.nan), "image 0 .* not finite"),
        (np.stack([np.zeros((4, 4, 3)), np.full((4, 4, 3), np.inf)]), "image 1"),
        (np.zeros((1, 0, 4, 3)), r"Received: \[1 0 4 3\]"),
        (np.zeros((2, 4, 0, 3)), r"Received: \[2 4 0 3\]"),
        (np.zeros((1, 1, 65_501, 3)), r"Received: \[1 1 65501 3\]"),
    ],
)
def test_what_is_no_image_is_refused(images, named, of_arrays):
    with pytest.raises(tf.errors.InvalidArgumentError, match=named):
        of_arrays(tf.constant(images, "float32"))
    assert of_arrays(tf.zeros((1, 4, 4, 3))).shape == (1, 32, 48, 3)
