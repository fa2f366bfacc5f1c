"""The evaluation transform is timm's, with the pixels of PIL."""

import math

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_cait.data.images.evaluation_transform import EvaluationTransform
from tests.data.images.test_resizing import assert_equal_but_for_last_bits, by_pil
from tests.support.data.photographs import encoded, opened, photograph


def as_in_timm(image, image_size, crop_pct, interpolation="bicubic"):
    """Resize, pad, cut, one after the other."""
    covered = [math.floor(side / crop_pct) for side in image_size]
    height, width = image.shape[:2]
    if covered[0] == covered[1]:
        shorter = min(height, width)
        size = [int(covered[0] * side / shorter) for side in (height, width)]
    else:
        ratio = min(height / covered[0], width / covered[1])
        size = [round(height / ratio), round(width / ratio)]
    image = by_pil(image, tuple(size), interpolation)
    missing = [max(0, k - s) for k, s in zip(image_size, size, strict=True)]
    image = np.pad(image, [*((m // 2, (m + 1) // 2) for m in missing), (0, 0)])
    top, left = (
        round((side - kept) / 2)
        for side, kept in zip(image.shape[:2], image_size, strict=True)
    )
    return image[top : top + image_size[0], left : left + image_size[1]]


@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
@pytest.mark.parametrize("crop_pct", [0.875, 0.9, 0.95, 1.0])
@pytest.mark.parametrize(
    ("shape", "image_size"),
    [
        ((375, 500), (224, 224)),
        ((500, 375), (224, 224)),
        ((427, 333), (97, 97)),  # odd sizes
        ((61, 83), (224, 224)),  # larger than the image
        ((32, 32), (224, 224)),
        ((90, 400), (64, 160)),  # rectangles
        ((400, 90), (64, 160)),
        ((75, 100), (161, 63)),
    ],
)
def test_pixels_are_those_of_pil(shape, image_size, crop_pct, interpolation):
    image = photograph(*shape)
    transform = EvaluationTransform(
        image_size=image_size, crop_pct=crop_pct, interpolation=interpolation
    )
    found = transform(tf.constant(image))
    assert (found.dtype, found.shape) == ("uint8", (*image_size, 3))
    expected = as_in_timm(image, image_size, crop_pct, interpolation)
    assert_equal_but_for_last_bits(found, expected, interpolation)


@pytest.mark.parametrize("crop_pct", [1.05, 1.1, 1.3])
@pytest.mark.parametrize("image_size", [(65, 65), (64, 64), (40, 70)])
def test_a_crop_larger_than_the_image_is_surrounded_by_black(image_size, crop_pct):
    image = photograph(91, 91) // 2 + 100
    transform = EvaluationTransform(image_size=image_size, crop_pct=crop_pct)
    found = transform(tf.constant(image))
    expected = as_in_timm(image, image_size, crop_pct)
    assert (expected == 0).any()
    assert_equal_but_for_last_bits(found, expected)


def test_files_are_decoded_as_in_pil():
    for file in (
        encoded(photograph(375, 500), quality=85),
        encoded(Image.fromarray(photograph(375, 500)).convert("L")),
        encoded(photograph(375, 500), "PNG"),
    ):
        found = EvaluationTransform()(tf.constant(file))
        expected = as_in_timm(opened(file), (224, 224), 0.875)
        assert_equal_but_for_last_bits(found, expected)


def test_gray_images_stay_gray_or_become_color():
    gray = np.array(Image.fromarray(photograph(90, 70)).convert("L"))[..., None]
    expected = as_in_timm(gray, (48, 48), 0.9)
    options = {"image_size": (48, 48), "crop_pct": 0.9}
    found = EvaluationTransform(**options)(tf.constant(gray))
    assert_equal_but_for_last_bits(found, expected)
    found = EvaluationTransform(**options, channels=3)(tf.constant(gray))
    assert_equal_but_for_last_bits(found, np.repeat(expected, 3, axis=-1))
    file = encoded(gray[..., 0], "PNG")
    found = EvaluationTransform(**options, channels=1)(tf.constant(file))
    assert_equal_but_for_last_bits(found, expected)


def test_an_image_of_the_right_size_is_unchanged():
    image = photograph(32, 48)
    transform = EvaluationTransform(image_size=(32, 48), crop_pct=1.0)
    np.testing.assert_array_equal(transform(tf.constant(image)), image)
    np.testing.assert_array_equal(transform(tf.constant(encoded(image, "PNG"))), image)


@pytest.mark.parametrize("record", [photograph(75, 50), encoded(photograph(75, 50))])
def test_shapes_are_known_in_a_pipeline(record):
    images = tf.data.Dataset.from_tensors(record).repeat(2).map(EvaluationTransform())
    assert images.element_spec == tf.TensorSpec((224, 224, 3), "uint8")
    first, second = images
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"crop_pct": 0.0}, "crop_pct=0.0"),
        ({"interpolation": "lanczos"}, "interpolation='lanczos'"),
    ],
)
def test_crop_pct_and_interpolation_that_do_not_exist_are_refused(options, named):
    with pytest.raises(ValueError, match=named):
        EvaluationTransform(**options)
