"""Random crops with the pixels of PIL and the distribution of torchvision and timm."""

import numpy as np
import pytest
import tensorflow as tf

from keras_cait.data.images.crops import (
    RandomCrop,
    RandomFlip,
    RandomResizedCrop,
    SimpleRandomCrop,
)
from tests.data.images.test_resizing import assert_equal_but_for_last_bits, by_pil
from tests.support.data.draws import distance_from_uniform, draws
from tests.support.data.photographs import encoded, opened, photograph

PHOTOGRAPH = photograph(375, 500)
KINDS = {
    "JPEG": encoded(PHOTOGRAPH, quality=90),
    "PNG": encoded(PHOTOGRAPH, "PNG"),
    "pixels": PHOTOGRAPH,
}


@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_resized_crop_has_the_pixels_of_pil(kind, interpolation):
    record = tf.constant(KINDS[kind])
    whole = PHOTOGRAPH if kind == "pixels" else opened(KINDS[kind])
    transform = RandomResizedCrop(image_size=(224, 192), interpolation=interpolation)
    for n in range(5):
        top, left, height, width = map(int, transform.crop(375, 500, (n, 0)))
        window = np.ascontiguousarray(whole[top : top + height, left : left + width])
        found = transform(record, (n, 0))
        assert found.dtype == "uint8"
        assert_equal_but_for_last_bits(
            found, by_pil(window, (224, 192), interpolation), interpolation
        )


def test_resized_crops_have_uniform_area_aspect_and_place():
    """For crops that always fit; `test_rectangles` has those that may not fit."""
    transform = RandomResizedCrop(scale=(0.08, 0.5))
    crop = draws(lambda seed: tf.stack(transform.crop(1000, 1000, seed))).T
    area = crop[2] * crop[3] / 1e6
    assert distance_from_uniform(area, 0.08, 0.5) < 0.02
    aspect = np.log(crop[3] / crop[2])
    assert distance_from_uniform(aspect, np.log(3 / 4), np.log(4 / 3)) < 0.02
    assert distance_from_uniform(crop[0] / (1000 - crop[2]), 0, 1) < 0.02
    assert distance_from_uniform(crop[1] / (1000 - crop[3]), 0, 1) < 0.02


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((10, 100), (0, 43, 10, 13)),  # too wide: all rows, 4/3 as many columns
        ((100, 10), (43, 0, 13, 10)),
        ((101, 10), (44, 0, 13, 10)),
        ((1, 100), (0, 49, 1, 1)),
    ],
)
def test_the_middle_is_cropped_if_none_of_ten_crops_fits(size, expected):
    transform = RandomResizedCrop(scale=(0.9, 1.0))
    crops = draws(lambda seed: tf.stack(transform.crop(*size, seed)), 100)
    np.testing.assert_array_equal(crops, [expected] * 100)


def test_the_middle_is_the_whole_image_if_its_aspect_is_allowed():
    transform = RandomResizedCrop(scale=(1.0, 1.0), ratio=(0.5, 2.0))
    crops = draws(lambda seed: tf.stack(transform.crop(1000, 1300, seed)), 100)
    whole = (crops == [0, 0, 1000, 1300]).all(axis=1)
    assert whole.mean() > 0.9  # a few fit, but for a row or a column


def test_padded_crops_are_uniform_over_all_places():
    transform = RandomCrop(image_size=(12, 16), padding=4)
    top, left = places(transform, ramp(12, 16))
    counts = np.zeros((9, 9))
    np.add.at(counts, (top, left), 1)
    expected = 10_000 / 81
    # 80 degrees of freedom: above 150 once in a million seeds.
    assert ((counts - expected) ** 2 / expected).sum() < 150


def test_a_padded_crop_is_a_window_of_the_image_and_black():
    image = photograph(32, 32)
    padded = np.pad(image, ((4, 4), (4, 4), (0, 0)))
    transform = RandomCrop(image_size=(32, 32))
    for n in range(20):
        assert_is_a_window(transform(tf.constant(image), (n, 0)), padded, tolerance=0)


def test_images_larger_than_the_crop_are_not_resized():
    image = photograph(60, 80)
    found = RandomCrop(image_size=(20, 30), padding=0)(tf.constant(image), (3, 0))
    assert_is_a_window(found, image, tolerance=0)


def test_images_smaller_than_the_crop_are_refused():
    with pytest.raises(tf.errors.InvalidArgumentError, match="Need value"):
        RandomCrop(image_size=(32, 32))(tf.zeros((20, 40, 3), "uint8"), (0, 0))


def test_simple_crop_of_deit3_is_resized_and_mirrored_at_the_border():
    image = photograph(100, 150)
    resized = by_pil(image, (64, 96))
    padded = np.pad(resized, ((4, 4), (4, 4), (0, 0)), "reflect")
    transform = SimpleRandomCrop(image_size=(64, 64))
    for n in range(10):
        assert_is_a_window(transform(tf.constant(image), (n, 0)), padded, tolerance=1)


def test_simple_crops_are_uniform_over_all_places():
    top, left = places(SimpleRandomCrop(image_size=(12, 12)), ramp(12, 28))
    down = np.bincount(top) / 10_000
    across = np.bincount(left) / 10_000
    np.testing.assert_allclose(down, [1 / 9] * 9, atol=0.02)
    np.testing.assert_allclose(across, [1 / 25] * 25, atol=0.012)


def test_half_of_the_images_are_mirrored():
    image = tf.constant([[[1], [2], [3]]], "uint8")
    found = draws(lambda seed: RandomFlip()(image, seed)).reshape(-1, 3)
    mirrored = (found == [3, 2, 1]).all(axis=1)
    np.testing.assert_array_equal(found[~mirrored], [[1, 2, 3]] * sum(~mirrored))
    assert abs(mirrored.mean() - 0.5) < 0.025  # five standard deviations


CROPS = {
    "resized": RandomResizedCrop(image_size=(48, 32)),
    "padded": RandomCrop(image_size=(48, 32)),
    "simple": SimpleRandomCrop(image_size=(48, 32)),
}


@pytest.mark.parametrize("name", CROPS)
def test_equal_seeds_give_equal_crops(name):
    transform, image = CROPS[name], tf.constant(photograph(50, 40))
    first, second = transform(image, (1, 2)), transform(image, tf.constant([1, 2]))
    np.testing.assert_array_equal(first, second)
    assert (first != transform(image, (1, 3))).numpy().any()


@pytest.mark.parametrize("name", CROPS)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "pixels"])
def test_shapes_are_known_in_a_pipeline(name, kind):
    record = photograph(70, 50)
    record = record if kind == "pixels" else encoded(record, kind)
    images = tf.data.Dataset.from_tensors(record).repeat(3).enumerate()
    images = images.map(lambda n, record: CROPS[name](record, tf.stack([n, 0])))
    assert images.element_spec == tf.TensorSpec((48, 32, 3), "uint8")
    assert [image.shape for image in images] == [(48, 32, 3)] * 3


@pytest.mark.parametrize("name", CROPS)
def test_channels_are_kept_or_converted(name):
    gray = photograph(50, 50)[..., :1]
    assert CROPS[name](gray, (0, 0)).shape == (48, 32, 1)
    assert CROPS[name](encoded(gray[..., 0], "PNG"), (0, 0)).shape == (48, 32, 3)
    transform = type(CROPS[name])(image_size=(48, 32), channels=3)
    expected = np.repeat(CROPS[name](gray, (0, 0)), 3, axis=-1)
    assert_equal_but_for_last_bits(transform(gray, (0, 0)), expected)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"scale": (0.5, 0.1)}, r"scale=\(0.5, 0.1\)"),
        ({"scale": (0.5, 1.1)}, r"scale=\(0.5, 1.1\)"),
        ({"ratio": (2.0, 1.0)}, r"ratio=\(2.0, 1.0\)"),
        ({"interpolation": "nearest"}, "interpolation='nearest'"),
    ],
)
def test_ranges_and_interpolations_that_do_not_exist_are_refused(options, named):
    with pytest.raises(ValueError, match=named):
        RandomResizedCrop(**options)


def ramp(height, width):
    """Pixels that tell their row and their column."""
    rows, columns = np.mgrid[:height, :width]
    return tf.constant(np.stack([rows, columns], axis=-1), "uint8")


def places(transform, image):
    """Top and left corner of ten thousand crops in a ramp and 4 pixels around it."""
    row, column = draws(lambda seed: transform(image, seed)[6, 6]).T.astype(int)
    return row + 4 - 6, column + 4 - 6


def assert_is_a_window(found, image, tolerance):
    height, width = found.shape[:2]
    windows = np.lib.stride_tricks.sliding_window_view(
        image.astype("int32"), (height, width), axis=(0, 1)
    )
    found = np.asarray(found, "int32").transpose(2, 0, 1)
    furthest = np.abs(windows - found).max(axis=(-3, -2, -1))
    assert furthest.min() <= tolerance
