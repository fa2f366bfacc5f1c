"""Color operations equal those of Pillow."""

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from keras_cait.data.augmentation import color
from tests.support import reference

PHOTO = reference.numbers("randaugment_m9")["photo"]
NOISE = np.random.default_rng(0).integers(0, 256, PHOTO.shape).astype("uint8")
FACTORS = (0, 0.1, 0.19, 0.7, 0.9123, 1, 1.3, 1.855, 1.9)


@pytest.mark.parametrize(
    ("ours", "pillows"),
    [
        (color.saturation, ImageEnhance.Color),
        (color.contrast, ImageEnhance.Contrast),
        (color.brightness, ImageEnhance.Brightness),
    ],
)
@pytest.mark.parametrize(
    "image", [PHOTO, NOISE, NOISE // 9], ids=["photo", "noise", "dark"]
)
def test_equals_pillow(image, ours, pillows):
    for factor in FACTORS:
        expected = np.asarray(pillows(Image.fromarray(image)).enhance(factor))
        np.testing.assert_array_equal(ours(image, factor), expected)


@pytest.mark.parametrize("image", [PHOTO, NOISE], ids=["photo", "noise"])
def test_gray_equals_pillow(image):
    expected = np.asarray(Image.fromarray(image).convert("L").convert("RGB"))
    np.testing.assert_array_equal(color.grayscale(image), expected)
