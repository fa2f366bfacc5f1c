"""Images of a request get the pixels of the evaluation transform."""

import functools

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_cait.data.images.evaluation_transform import EvaluationTransform
from keras_cait.export.saved_model.served_images import (
    transform_arrays,
    transform_files,
)
from tests.data.images.test_decoding import FILES
from tests.data.images.test_evaluation_transform import as_in_timm
from tests.support.data.photographs import encoded, opened, photograph
from tests.support.export.malformed_images import EMPTY, HUGE, WHOLE

VIEW = EvaluationTransform(image_size=(32, 48), crop_pct=0.9, channels=3)
GRAY = EvaluationTransform(image_size=(24, 24), crop_pct=0.875, channels=1)
COLOR = Image.fromarray(photograph(61, 83))
GIF, BMP, WEBP = (encoded(COLOR, kind) for kind in ("GIF", "BMP", "WEBP"))

ALL_KINDS = {
    **{kind: file for kind, file in FILES.items() if file[:1] not in b"GB"},
    "CMYK JPEG": encoded(COLOR.convert("CMYK"), quality=95),
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
    return in_a_graph(transform_files, VIEW, tf.TensorSpec((None,), "string"))


@pytest.fixture
def of_arrays():
    spec = tf.TensorSpec((None, None, None, 3))
    return in_a_graph(transform_arrays, VIEW, spec)


@pytest.mark.parametrize("view", [VIEW, GRAY], ids=["color", "gray"])
def test_files_give_the_pixels_of_the_evaluation_transform(view):
    from_files = in_a_graph(transform_files, view, tf.TensorSpec((None,), "string"))
    found = from_files(tf.constant(list(ALL_KINDS.values()))).numpy()
    assert found.shape == (len(ALL_KINDS), *view.image_size, view.channels)
    for kind, pixels in zip(ALL_KINDS, found, strict=True):
        expected = view(tf.constant(ALL_KINDS[kind]))
        np.testing.assert_array_equal(pixels, expected, kind)


def test_files_give_the_pixels_of_pil(of_files):
    every = of_files(tf.constant(list(ALL_KINDS.values()))).numpy()
    for kind, found in zip(ALL_KINDS, every, strict=True):
        expected = as_in_timm(opened(ALL_KINDS[kind]), VIEW.image_size, 0.9)
        assert abs(found - expected.astype(int)).max() <= 1, kind  # one gray level


def test_arrays_are_rounded_and_clipped(of_arrays):
    images = np.random.default_rng(0).uniform(-30, 290, (2, 50, 40, 3))
    images = images.astype("float32")
    levels = np.clip(np.round(images), 0, 255).astype("uint8")
    expected = [VIEW(tf.constant(image)) for image in levels]
    np.testing.assert_array_equal(of_arrays(images), expected)


def test_an_empty_batch_gives_an_empty_batch(of_files, of_arrays):
    assert of_files(tf.constant([], "string")).shape == (0, 32, 48, 3)
    assert of_arrays(tf.zeros((0, 7, 9, 3))).shape == (0, 32, 48, 3)


def with_scans(number):
    """A progressive JPEG whose last scan comes again and again."""
    file = WHOLE["progressive"]
    start = file.rindex(b"\xff\xda")
    return file[:start] + number * file[start:-2] + b"\xff\xd9"


REFUSED = {
    **HUGE,
    **EMPTY,
    "50 million pixels": encoded(Image.new("1", (7072, 7072)), "PNG"),
    "text": b"not an image",
    "half of a JPEG": WHOLE["JPEG"][: len(WHOLE["JPEG"]) // 2],
    "JPEG of a thousand scans": with_scans(1000),
    "GIF": GIF,
    "BMP": BMP,
    "WebP": WEBP,
}


def test_a_file_that_cannot_be_decoded_is_named_by_its_index(of_files):
    good = ALL_KINDS["PNG"]
    for kind, file in REFUSED.items():
        with pytest.raises(tf.errors.InvalidArgumentError) as refused:
            of_files(tf.constant([good, file, good]))
        said = refused.value.message
        assert "image 1 of the batch cannot be decoded: expected a JPEG" in said, kind
        assert f"Received: {len(file)} bytes, " in said, kind
        assert of_files(tf.constant([good])).shape == (1, *VIEW.image_size, 3)


@pytest.mark.parametrize(
    ("file", "type"),
    [
        (GIF, "a GIF"),
        (BMP, "a BMP"),
        (WEBP, "a WebP"),
        (b"GIF", "of an unknown file type"),
        (b"", "of an unknown file type"),
        (WHOLE["PNG"][:-20], "a PNG"),
        (WHOLE["JPEG"][:99], "a JPEG"),
    ],
)
def test_the_error_names_the_type_of_a_refused_file(file, type, of_files):
    message = rf"expected a JPEG or PNG of .* Received: {len(file)} bytes, {type}\b"
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        of_files(tf.constant([file]))


def test_files_at_the_limits_are_decoded(of_files):
    allowed = [with_scans(20), encoded(photograph(1, 65_500))]
    assert of_files(tf.constant(allowed)).shape == (2, 32, 48, 3)
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
def test_arrays_that_are_not_images_are_refused(images, named, of_arrays):
    with pytest.raises(tf.errors.InvalidArgumentError, match=named):
        of_arrays(tf.constant(images, "float32"))
    assert of_arrays(tf.zeros((1, 4, 4, 3))).shape == (1, 32, 48, 3)
