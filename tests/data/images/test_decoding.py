"""Decoded images, windows and sizes equal those of PIL."""

import random
import struct

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_cait.data.images.decoding import decode, decode_window, image_size
from tests.support.data.photographs import encoded, opened, photograph

COLOR = Image.fromarray(photograph(61, 83))
FILES = {
    "baseline": encoded(COLOR, quality=90, subsampling="4:2:0"),
    "progressive": encoded(COLOR, quality=70, progressive=True),
    "unsampled": encoded(COLOR, quality=90, subsampling="4:4:4"),
    "gray JPEG": encoded(COLOR.convert("L")),
    "PNG": encoded(COLOR, "PNG"),
    "gray PNG": encoded(COLOR.convert("L"), "PNG"),
    "palette PNG": encoded(COLOR.quantize(16), "PNG"),
    "transparent PNG": encoded(COLOR.convert("RGBA").rotate(30), "PNG"),
    "BMP": encoded(COLOR, "BMP"),
    "gray BMP": encoded(COLOR.convert("L"), "BMP"),
    "GIF": encoded(COLOR, "GIF"),
}
WEBP = {  # which is not served
    "WebP": encoded(COLOR, "WEBP"),
    "lossless WebP": encoded(COLOR, "WEBP", lossless=True),
    "transparent WebP": encoded(COLOR.convert("RGBA").rotate(30), "WEBP"),
    "transparent lossless WebP": encoded(
        COLOR.convert("RGBA").rotate(30), "WEBP", lossless=True, exact=True
    ),
}

ALL = {**FILES, **WEBP}


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize(("channels", "mode"), [(3, "RGB"), (1, "L")])
def test_every_file_type_decodes_to_the_pixels_of_pil(kind, channels, mode):
    found = decode(tf.constant(ALL[kind]), channels)
    expected = opened(ALL[kind], mode).reshape(61, 83, channels)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("kind", ALL)
def test_image_size_is_that_of_the_pixels(kind):
    height, width = image_size(tf.constant(ALL[kind]))
    assert (int(height), int(width)) == (61, 83)


def test_size_of_jpeg_and_png_is_read_from_the_header():
    for kind in ("baseline", "PNG"):
        height, width = image_size(tf.constant(FILES[kind][:640]))
        assert (int(height), int(width)) == (61, 83)
        with pytest.raises(tf.errors.InvalidArgumentError):
            decode(tf.constant(FILES[kind][:640]))


def test_an_animated_gif_decodes_to_its_first_frame():
    frames = [COLOR.convert("L").rotate(angle) for angle in (0, 30, 60)]
    file = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    np.testing.assert_array_equal(decode(file), opened(file))


@pytest.mark.parametrize(
    "kind", ["baseline", "progressive", "unsampled", "PNG", "GIF", "WebP"]
)
def test_a_window_is_a_slice_of_the_image(kind):
    """At every offset from the blocks of a JPEG, and at every edge of the image."""
    record = tf.constant(ALL[kind])
    whole = decode(record).numpy()
    window = tf.function(lambda *box: decode_window(record, *box))
    rng = random.Random(0)
    boxes = [(0, 0, 61, 83), (0, 0, 1, 1), (60, 82, 1, 1), (16, 16, 16, 16)]
    for _ in range(100):
        height, width = rng.randint(1, 61), rng.randint(1, 83)
        top, left = rng.randint(0, 61 - height), rng.randint(0, 83 - width)
        boxes.append((top, left, height, width))
    for top, left, height, width in boxes:
        found = window(*tf.constant([top, left, height, width]))
        expected = whole[top : top + height, left : left + width]
        np.testing.assert_array_equal(found, expected, f"{top, left, height, width}")


def bomb(kind, height, width):
    """A file of a few bytes that announces an image of that size."""
    file = bytearray(encoded(COLOR, kind))
    if kind == "PNG":
        file[16:24] = struct.pack(">II", width, height)
    elif kind == "JPEG":
        start = file.index(b"\xff\xc0") + 5
        file[start : start + 4] = struct.pack(">HH", height, width)
    elif kind == "GIF":
        file[6:10] = struct.pack("<HH", width, height)
    elif kind == "BMP":
        file[18:26] = struct.pack("<ii", width, -height)
    else:
        size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
        chunk = b"VP8X" + struct.pack("<II", 10, 0) + size
        file[12:12] = chunk
    return bytes(file)


SIZES = (65_535, 1), (7_072, 7_071)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "WEBP"])
@pytest.mark.parametrize(
    "size",
    [
        (60_000, 50_000),
        *(pytest.param(size, marks=pytest.mark.slow) for size in SIZES),
    ],
)
def test_images_of_too_many_pixels_are_not_decoded(kind, size):
    """A side above 65,500, which libjpeg refuses too, or more than 50 million."""
    record = tf.constant(bomb(kind, *size))
    said = f"at most 50000000 pixels.*height={size[0]}, width={size[1]}"
    said += "|Invalid JPEG data" if kind == "JPEG" and size[1] == 1 else ""
    for function in (decode, image_size):
        with pytest.raises(tf.errors.InvalidArgumentError, match=said):
            function(record)


@pytest.mark.parametrize("kind", ["baseline", "PNG", "GIF", "BMP", "WebP"])
def test_files_that_end_early_are_refused(kind):
    """Wherever they end, by an error of TensorFlow's, not by another one."""
    for length in (0, 1, 2, 4, 8, 10, 13, 15, 20, 25, 29, 40):
        with pytest.raises(tf.errors.InvalidArgumentError):
            decode(tf.constant(ALL[kind][:length]))


def test_the_limit_holds_in_a_pipeline():
    records = tf.data.Dataset.from_tensors(bomb("PNG", 60_000, 50_000))
    with pytest.raises(tf.errors.InvalidArgumentError, match="at most 50000000"):
        next(iter(records.map(decode)))


def test_the_largest_image_is_decoded():
    image = Image.new("L", (10_000, 5_000))
    height, width = image_size(tf.constant(encoded(image, "PNG")))
    assert (int(height), int(width)) == (5_000, 10_000)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_an_animated_webp_is_refused(mode):
    """TensorFlow's own decoder aborts the process on some of them."""
    frames = [COLOR.convert(mode).rotate(angle) for angle in (0, 30)]
    file = encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:])
    with pytest.raises(tf.errors.InvalidArgumentError, match="animated WebP"):
        decode(tf.constant(file))


@pytest.mark.parametrize("size", [(1, 1), (16_383, 3), (3, 16_383), (300, 257)])
@pytest.mark.parametrize("options", [{}, {"lossless": True}])
def test_size_of_lossy_and_lossless_webp(size, options):
    for mode in ("RGB", "RGBA"):
        image = Image.new(mode, size, (9, 9, 9, 99)[: len(mode)])
        found = image_size(tf.constant(encoded(image, "WEBP", **options)))
        assert tuple(map(int, found)) == size[::-1]


def test_decoded_images_are_records_too():
    color = photograph(6, 8)
    gray = np.array(Image.fromarray(color).convert("L"))[..., None]
    np.testing.assert_array_equal(decode(color), color)
    np.testing.assert_array_equal(decode(color, 1), gray)
    np.testing.assert_array_equal(decode(gray), np.repeat(gray, 3, axis=-1))
    np.testing.assert_array_equal(decode(gray, None), gray)
    found = decode_window(color, 1, 2, 3, 4, channels=None)
    np.testing.assert_array_equal(found, color[1:4, 2:6])
    assert tuple(map(int, image_size(color))) == (6, 8)


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_two_and_four_channels_become_three(channels):
    image = photograph(6, 8)[..., [0, 1, 2, 0]][..., :channels]
    expected = image[..., :3] if channels == 4 else image[..., [0, 0, 0]]
    np.testing.assert_array_equal(decode(image), expected)


def test_the_channels_are_known_in_a_graph():
    records = tf.data.Dataset.from_tensors(FILES["PNG"]).repeat(2)
    images = records.map(decode)
    assert images.element_spec.shape == (None, None, 3)
    windows = records.map(lambda record: decode_window(record, 0, 0, 5, 7, channels=1))
    assert windows.element_spec.shape == (None, None, 1)
    assert [window.shape for window in windows] == [(5, 7, 1)] * 2


@pytest.mark.parametrize(
    ("record", "channels", "named"),
    [
        (tf.zeros((4, 4, 3), "uint8"), 4, "channels=4"),
        (tf.zeros((4, 4, 3)), 3, "float32"),
        (tf.zeros((4, 4), "uint8"), 3, r"\(4, 4\)"),
        (tf.constant([FILES["PNG"]]), 3, r"\(1,\)"),
    ],
)
def test_other_tensors_and_channels_are_refused(record, channels, named):
    with pytest.raises(ValueError, match=named):
        decode(record, channels)
