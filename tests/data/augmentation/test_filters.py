"""Sharpness and blur equal those of Pillow."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageEnhance, ImageFilter

from keras_cait.data.augmentation.filters import gaussian_blur, sharpness
from tests.support import reference

PHOTO = reference.numbers("randaugment_m9")["photo"]
NOISE = np.random.default_rng(0).integers(0, 256, PHOTO.shape).astype("uint8")
RADII = np.random.default_rng(1).uniform(0.1, 2.0, 8).tolist()


@pytest.mark.parametrize("image", [PHOTO, NOISE], ids=["photo", "noise"])
def test_sharpness_equals_pillow(image):
    for factor in (0, 0.1, 0.19, 0.7, 1, 1.3, 1.9):
        expected = ImageEnhance.Sharpness(Image.fromarray(image)).enhance(factor)
        np.testing.assert_array_equal(sharpness(image, factor), expected)


@pytest.mark.parametrize("image", [PHOTO, NOISE], ids=["photo", "noise"])
def test_blur_equals_pillow(image):
    """Except for sums that lie halfway between two gray levels."""
    for radius in RADII:
        expected = Image.fromarray(image).filter(ImageFilter.GaussianBlur(radius))
        found = gaussian_blur(image, radius).numpy().astype(int)
        difference = np.abs(found - np.asarray(expected))
        assert difference.max() <= 1
        assert difference.mean() < 0.002


@pytest.mark.parametrize("radius", [0.5, 1.0, 2.0, 2.4])
def test_blur_has_the_variance_of_its_radius(radius):
    dot = np.zeros((31, 31, 3), "uint8")
    dot[15, :] = 255
    profile = gaussian_blur(dot, radius).numpy()[:, 15, 0].astype(float)
    places = np.arange(31) - 15
    variance = (profile * places**2).sum() / profile.sum()
    assert variance == pytest.approx(radius**2, rel=0.05)


def test_blur_keeps_the_static_shape():
    @tf.function(input_signature=[tf.TensorSpec((96, 144, 3), tf.uint8)])
    def blurred(image):
        result = gaussian_blur(image, 1.3)
        assert result.shape == (96, 144, 3)
        return result

    np.testing.assert_array_equal(blurred(PHOTO), gaussian_blur(PHOTO, 1.3))
