"""The page's resizing and crop give the pixels of Pillow and of our own transform."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_cait.data.images.evaluation_transform import EvaluationTransform
from tests.support.data.photographs import encoded, photograph
from tests.support.export.page_scripts import run_script

RESIZE = """
const { resize } = await load("resize");
const { height, width, channels, size, window, interpolation } = given;
const line = width * channels;
const rows = async (top, number) => bytes.subarray(top * line, (top + number) * line);
const image = { height, width, channels, rows };
return [...await resize(image, size, window, interpolation)];
"""
CROP = """
const { centerCrop } = await load("crop");
const { size, window } = centerCrop(given.height, given.width, given);
"""


def image_of(pixels):
    height, width, channels = pixels.shape
    return {"height": height, "width": width, "channels": channels}


@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
@pytest.mark.parametrize(
    ("shape", "size"),
    [((300, 200), (33, 22)), ((7, 5), (60, 45)), ((40, 90), (80, 30))],
)
def test_pixels_are_those_of_pillow(shape, size, interpolation):
    pixels = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype="uint8")
    height, width = size
    whole = {"top": 0, "left": 0, "height": height, "width": width}
    given = {
        **image_of(pixels),
        "size": {"height": height, "width": width},
        "window": whole,
        "interpolation": interpolation,
    }
    found = run_script(RESIZE, given, bytes_given=pixels.tobytes())
    method = getattr(Image.Resampling, interpolation.upper())
    expected = np.array(Image.fromarray(pixels).resize((width, height), method))
    np.testing.assert_array_equal(np.reshape(found, expected.shape), expected)


@pytest.mark.parametrize(
    ("shape", "image_size", "crop_pct"),
    [
        ((375, 500), (64, 64), 0.875),
        ((501, 333), (64, 64), 1.0),
        ((333, 501), (48, 80), 0.9),
        ((501, 333), (48, 80), 0.95),
        ((100, 100), (64, 64), 1.25),  # with a black border
        ((20, 31), (64, 64), 0.875),  # larger than the image
    ],
)
def test_the_crop_is_that_of_the_evaluation_transform(shape, image_size, crop_pct):
    pixels = photograph(*shape)
    given = {
        **image_of(pixels),
        "imageSize": image_size,
        "cropPct": crop_pct,
        "interpolation": "bicubic",
    }
    body = CROP + RESIZE.replace("size, window, ", "", 1)
    found = run_script(body, given, bytes_given=pixels.tobytes())
    transform = EvaluationTransform(image_size=image_size, crop_pct=crop_pct)
    expected = transform(tf.constant(encoded(pixels, "PNG"))).numpy().astype(int)
    difference = abs(np.reshape(found, expected.shape) - expected)
    # Ours adds in float32, which may round a value between two gray levels otherwise.
    assert difference.max() <= 1
    assert np.mean(difference > 0) < 1e-3


def test_the_picture_shows_the_section_that_the_model_sees():
    body = CROP + (
        'const { sourceWindow } = await load("crop");'
        "return sourceWindow(given.height, given.width, { size, window });"
    )
    given = {"height": 400, "width": 800, "imageSize": [224, 224], "cropPct": 0.875}
    section = run_script(body, given)
    assert section == {"top": 25, "left": 225, "height": 350, "width": 350}
