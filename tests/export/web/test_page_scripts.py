"""The page's headers, classes and colors, computed by Node.js."""

import re

import numpy as np
import pytest
import tensorflow as tf
from matplotlib import colormaps

from keras_cait.data.images import size_limits
from keras_cait.data.images.luma import luma
from keras_cait.models.published.imagenet import decode_predictions
from keras_cait.visualization.overlay import resized_map
from tests.support.data.photographs import encoded, photograph
from tests.support.export.malformed_images import EMPTY, HUGE
from tests.support.export.page_scripts import PAGE, run_script

SIZE = """
const { imageSize } = await load("header");
try {
  return imageSize(bytes);
} catch (error) {
  return { refused: error.name, message: error.message };
}
"""


def size_of(file: bytes):
    return run_script(SIZE, None, bytes_given=file)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {}),
        ("JPEG", {"progressive": True, "exif": b"Exif\0\0" + bytes(500)}),
        ("PNG", {}),
        ("GIF", {}),
        ("BMP", {}),
        ("WEBP", {}),
        ("WEBP", {"lossless": True}),
        ("WEBP", {"exif": b"Exif\0\0II*\0\x08\0\0\0\0\0"}),
    ],
)
def test_reads_the_size_of_every_type(kind, options):
    file = encoded(photograph(37, 61), kind, **options)
    assert size_of(file) == {"height": 37, "width": 61}


@pytest.mark.parametrize("name", HUGE)
def test_refuses_huge_images_before_they_are_decoded(name):
    found = size_of(HUGE[name])
    assert found["refused"] == "ImageError"
    assert "too large" in found["message"]
    assert "50 megapixels" in found["message"]


@pytest.mark.parametrize("name", EMPTY)
def test_refuses_images_without_pixels(name):
    found = size_of(EMPTY[name])
    assert found["refused"] == "ImageError"
    assert re.search("no image|damaged", found["message"])


@pytest.mark.parametrize(
    "file", [b"hello", b"<svg xmlns='http://www.w3.org/2000/svg'/>"]
)
def test_refuses_what_is_no_image(file):
    assert "no image" in size_of(file)["message"]


@pytest.mark.parametrize(
    ("kind", "length"),
    [("JPEG", 15), ("PNG", 20), ("GIF", 9), ("BMP", 24), ("WEBP", 28)],
)
def test_refuses_files_that_end_within_their_header(kind, length):
    file = encoded(photograph(37, 61), kind)[:length]
    assert "damaged" in size_of(file)["message"]


def test_limits_are_those_of_our_decoder():
    limits = 'const { MAX_PIXELS, MAX_SIDE } = await load("header");'
    found = run_script(f"{limits} return [MAX_PIXELS, MAX_SIDE];", None)
    assert found == [size_limits.MAX_PIXELS, size_limits.MAX_SIDE]


def test_classes_come_in_the_order_of_decode_predictions():
    scores = np.random.default_rng(0).random(1000).astype("float32").round(2)
    names = [str(index) for index in range(1000)]
    (expected,) = decode_predictions(scores[None], 7, class_names=names)
    body = 'const { topClasses } = await load("top"); return topClasses(given, 7);'
    found = run_script(body, scores.tolist())
    assert [str(row["index"]) for row in found] == [row[0] for row in expected]
    scores = [row["probability"] for row in found]
    np.testing.assert_allclose(scores, [row[2] for row in expected])


def test_gray_levels_are_those_of_our_decoder():
    colors = np.random.default_rng(0).integers(0, 256, (50, 20, 4), dtype="uint8")
    body = 'const { luma } = await load("gray"); return [...luma(bytes)];'
    found = run_script(body, None, bytes_given=colors.tobytes())
    expected = luma(tf.constant(colors[..., :3])).numpy()
    np.testing.assert_array_equal(np.reshape(found, (50, 20)), expected)


def test_maps_are_drawn_as_by_overlay():
    scores = np.random.default_rng(0).random((3, 5)).astype("float32")
    body = (
        'const { heatPixels } = await load("heat");'
        "return [...heatPixels(given, 3, 5, 30, 45)];"
    )
    found = np.reshape(run_script(body, scores.ravel().tolist()), (30, 45, 4))
    expected = 255 * colormaps["inferno"](resized_map(scores, (30, 45)))
    # The page has 17 of the 256 colors, and mixes those between.
    assert np.abs(found - expected).max() < 8
    assert np.abs(found - expected).mean() < 1


def test_the_mean_of_heads_and_a_map_of_one_value():
    body = (
        'const { meanMap, stretched } = await load("heat");'
        "return [meanMap(given), stretched([2, 2]), stretched([1, 3, 2])];"
    )
    assert run_script(body, [[0, 2], [1, 4]]) == [[0.5, 3], [0, 0], [0, 1, 0.5]]


def test_scripts_import_only_files_of_the_page():
    for script in PAGE.glob("*.js"):
        for name in re.findall(r'from "([^"]+)"', script.read_text()):
            path = PAGE / name
            assert name.startswith("./"), script
            assert path.is_file() or name == "./runtime/ort.js", script


def test_the_page_names_no_other_host():
    for file in PAGE.iterdir():
        urls = re.findall(r"https?://[\w.]+", file.read_text())
        assert set(urls) <= {"http://www.w3.org"}, file  # the namespace of SVG
