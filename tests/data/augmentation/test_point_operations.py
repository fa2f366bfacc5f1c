"""Operations on gray levels equal those of Pillow."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageOps

from keras_cait.data.augmentation import point_operations as operations
from tests.support import reference

PHOTO = reference.numbers("randaugment_m9")["photo"]
NOISE = np.random.default_rng(0).integers(0, 256, PHOTO.shape).astype("uint8")
IMAGES = {
    "photo": PHOTO,
    "noise": NOISE,
    "dark": NOISE // 9,
    "flat": np.full_like(NOISE, 77),
    "one dot": np.where(np.arange(NOISE.size).reshape(NOISE.shape) == 999, 9, 200),
    "two levels": np.where(NOISE > 250, 13, 12),
}


def of_pillow(image, operation, *arguments):
    return np.asarray(operation(Image.fromarray(image), *arguments))


def solarize_add(image, addition):
    table = [min(255, i + addition) if i < 128 else i for i in range(256)]
    return image.point(table * 3)


@pytest.mark.parametrize(
    ("ours", "pillows", "arguments"),
    [
        (operations.auto_contrast, ImageOps.autocontrast, [()]),
        (operations.equalize, ImageOps.equalize, [()]),
        (operations.invert, ImageOps.invert, [()]),
        (operations.posterize, ImageOps.posterize, [(1,), (2,), (4,), (8,)]),
        (operations.solarize, ImageOps.solarize, [(0,), (26,), (128,), (256,)]),
        (operations.solarize_add, solarize_add, [(0,), (99,), (110,), (128,)]),
    ],
)
@pytest.mark.parametrize("image", IMAGES)
def test_equals_pillow(image, ours, pillows, arguments):
    image = IMAGES[image].astype("uint8")
    for each in arguments:
        expected = of_pillow(image, pillows, *each)
        np.testing.assert_array_equal(ours(image, *each), expected)


def test_fewer_pixels_than_levels_are_not_equalized():
    """Fewer than there are levels: nothing to spread."""
    image = PHOTO[:8, :8]
    np.testing.assert_array_equal(operations.equalize(image), image)
    np.testing.assert_array_equal(of_pillow(image, ImageOps.equalize), image)


def test_posterizing_to_0_bits_gives_black():
    assert not np.any(operations.posterize(PHOTO, 0))


@pytest.mark.parametrize(
    ("image", "named"),
    [
        (tf.zeros((8, 8, 3)), "dtype=float32"),
        (tf.zeros((8, 8, 1), "uint8"), r"shape=\(8, 8, 1\)"),
        (tf.zeros((2, 8, 8, 3), "uint8"), r"shape=\(2, 8, 8, 3\)"),
    ],
)
def test_other_shapes_and_types_are_refused(image, named):
    with pytest.raises(ValueError, match=named):
        operations.checked_image(image)
