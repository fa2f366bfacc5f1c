"""Rotation, shear and translation equal those of Pillow."""

import numpy as np
import pytest
from PIL import Image

from keras_cait.data.augmentation import affine
from tests.support import reference

PHOTO = reference.numbers("randaugment_m9")["photo"]
NOISE = np.random.default_rng(0).integers(0, 256, PHOTO.shape).astype("uint8")
FILL = (124, 116, 104)
BICUBIC = {"resample": Image.Resampling.BICUBIC, "fillcolor": FILL}


def mapped(image, *matrix):
    return image.transform(image.size, Image.Transform.AFFINE, matrix, **BICUBIC)


def rotate(image, angle):
    return image.rotate(angle, **BICUBIC)


def shear_x(image, factor):
    return mapped(image, 1, factor, 0, 0, 1, 0)


def shear_y(image, factor):
    return mapped(image, 1, 0, 0, factor, 1, 0)


def translate_x(image, part):
    return mapped(image, 1, 0, part * image.width, 0, 1, 0)


def translate_y(image, part):
    return mapped(image, 1, 0, 0, 0, 1, part * image.height)


@pytest.mark.parametrize(
    ("pillows", "arguments"),
    [
        (rotate, (0, 27, -27, 30, -13.7, 180)),
        (shear_x, (0, 0.27, -0.27, 0.3, -0.1, 0.25)),
        (shear_y, (0, 0.27, -0.27, 0.3, -0.1, 0.25)),
        (translate_x, (0, 0.405, -0.405, 0.45, -0.123, 0.5, 1)),
        (translate_y, (0, 0.405, -0.405, 0.45, -0.123, 0.5, 1)),
    ],
)
@pytest.mark.parametrize("image", [PHOTO, NOISE], ids=["photo", "noise"])
def test_equals_pillow(image, pillows, arguments):
    """Both cut off to an integer: where one lies just below it, they differ by one."""
    ours = getattr(affine, pillows.__name__)
    for argument in arguments:
        expected = np.asarray(pillows(Image.fromarray(image), argument))
        found = ours(image, argument, FILL).numpy().astype(int)
        difference = np.abs(found - expected)
        assert difference.max() <= 1
        assert difference.mean() < 0.003


def test_the_area_outside_the_image_has_the_fill_color():
    gone = affine.translate_x(PHOTO, 1.0, (1, 2, 3)).numpy()
    np.testing.assert_array_equal(gone, np.broadcast_to([1, 2, 3], PHOTO.shape))
