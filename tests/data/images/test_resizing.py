"""Resized images have the pixels of PIL."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_cait.data.images.resizing import covering_size, resize
from tests.support.data.photographs import photograph

KERNELS = {
    "bicubic": Image.Resampling.BICUBIC,
    "bilinear": Image.Resampling.BILINEAR,
}


def by_pil(image, size, interpolation="bicubic"):
    """Columns, then rows, each in a call: PIL 13 may take them the other way."""
    picture = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
    picture = picture.resize((size[1], picture.height), KERNELS[interpolation])
    picture = picture.resize((size[1], size[0]), KERNELS[interpolation])
    return np.array(picture, "int32").reshape(*size, -1)


def assert_equal_but_for_last_bits(found, expected, interpolation="bicubic"):
    """Allows for values halfway between two levels, which another order of summation
    rounds the other way; bilinear weights give more of them.
    """
    share = {"bicubic": 1e-3, "bilinear": 0.03}[interpolation]
    difference = np.abs(np.asarray(found, "int32") - expected)
    assert difference.max() <= 2
    assert np.count_nonzero(difference) <= 1 + share * difference.size


@pytest.mark.parametrize("interpolation", KERNELS)
@pytest.mark.parametrize(
    "size",
    [
        (224, 224),  # both axes smaller
        (375, 100),  # one of them as it is
        (500, 667),  # larger
        (97, 611),  # one smaller, one larger
        (16, 16),
        (17, 15),
        (3, 2),
        (1, 1),
    ],
)
def test_pixels_are_those_of_pil(size, interpolation):
    image = photograph(375, 500)
    found = resize(tf.constant(image), size, interpolation)
    expected = by_pil(image, size, interpolation)
    assert_equal_but_for_last_bits(found, expected, interpolation)


@pytest.mark.parametrize("size", [(224, 224), (256, 341), (97, 611), (500, 667)])
def test_levels_differ_little_from_the_other_order_of_axes_in_pil(size):
    image = photograph(375, 500)
    picture = Image.fromarray(image).resize(size[::-1], KERNELS["bicubic"])
    found = resize(tf.constant(image), size).numpy().astype("int32")
    assert np.abs(found - np.array(picture)).mean() < 0.2


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (2, 3), (5, 333), (13, 8)])
def test_tiny_images_are_enlarged_as_in_pil(shape):
    image = np.random.default_rng(0).integers(0, 256, (*shape, 3), "uint8")
    for interpolation in KERNELS:
        found = resize(tf.constant(image), (64, 48), interpolation)
        expected = by_pil(image, (64, 48), interpolation)
        assert_equal_but_for_last_bits(found, expected, interpolation)


def test_noise_overshoots_and_is_clipped_as_in_pil():
    image = np.random.default_rng(0).integers(0, 2, (60, 50, 3), "uint8") * 255
    for size in [(100, 130), (40, 30)]:
        assert_equal_but_for_last_bits(
            resize(tf.constant(image), size), by_pil(image, size)
        )


def test_halves_are_rounded_up_as_in_pil():
    """Twice as large, so that weights are short and halves are common."""
    image = photograph(50, 60)
    found = resize(tf.constant(image), (100, 120), "bilinear")
    np.testing.assert_array_equal(found, by_pil(image, (100, 120), "bilinear"))


def test_gray_images_are_as_in_pil():
    image = np.array(Image.fromarray(photograph(90, 70)).convert("L"))[..., None]
    assert_equal_but_for_last_bits(
        resize(tf.constant(image), (33, 44)), by_pil(image, (33, 44))
    )


def test_resizing_to_the_same_size_changes_nothing():
    image = photograph(50, 60)
    for interpolation in KERNELS:
        found = resize(tf.constant(image), (50, 60), interpolation)
        np.testing.assert_array_equal(found, image)


@pytest.mark.parametrize("window", [(0, 0, 40, 30), (21, 7, 30, 70), (99, 79, 1, 1)])
def test_a_window_is_a_part_of_the_whole(window):
    image = tf.constant(photograph(150, 130))
    whole = resize(image, (100, 80)).numpy()
    top, left, height, width = window
    found = resize(image, (100, 80), window=window)
    expected = whole[top : top + height, left : left + width]
    assert_equal_but_for_last_bits(found, expected)


def test_a_window_is_black_outside_the_image():
    image = tf.constant(photograph(150, 130))
    found = resize(image, (100, 80), window=(-3, -40, 110, 200))
    whole = resize(image, (100, 80))
    expected = np.pad(whole, ((3, 7), (40, 80), (0, 0)))
    assert_equal_but_for_last_bits(found, expected)


def test_sizes_may_be_unknown_in_a_graph():
    @tf.function
    def resized(image, size):
        return resize(image, (size[0], size[1]))

    for size in [(40, 50), (130, 20)]:
        image = photograph(90, 70)
        found = resized(tf.constant(image), tf.constant(size))
        assert_equal_but_for_last_bits(found, by_pil(image, size))


def test_covering_size_is_rounded_as_torchvision_and_timm_do():
    """Towards zero for squares; for rectangles to the nearest, halves to even."""
    rng = np.random.default_rng(0)
    for height, width in rng.integers(1, 700, (300, 2)).tolist():
        short = min(height, width)
        found = [int(side) for side in covering_size(height, width, (248, 248))]
        assert found == [int(248 * height / short), int(248 * width / short)]
        ratio = min(height / 96, width / 248)
        found = [int(side) for side in covering_size(height, width, (96, 248))]
        assert found == [round(height / ratio), round(width / ratio)]


def test_an_unknown_interpolation_is_refused():
    with pytest.raises(ValueError, match="interpolation='lanczos'"):
        resize(tf.zeros((2, 2, 3), "uint8"), (1, 1), "lanczos")
