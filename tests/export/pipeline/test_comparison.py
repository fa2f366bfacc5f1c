"""What is compared, refused and timed."""

import numpy as np
import pytest

from keras_cait.export.pipeline.comparison import compare, measure

IMAGES = np.random.default_rng(0).uniform(size=(3, 2, 2, 3))
EXPECTED = IMAGES[:, 0, 0]


def first_pixel(image):
    assert image.shape == (1, 2, 2, 3)
    return image[:, 0, 0]


def test_each_image_is_run_alone():
    found, latency = measure(first_pixel, IMAGES, EXPECTED, 0.0)
    assert found == compare(EXPECTED, EXPECTED)
    assert 0 < latency < 1000


def test_what_is_too_far_is_refused_with_what_to_do():
    largest = EXPECTED.max()

    def shifted(image):
        return first_pixel(image) + 0.25 * largest

    found, _ = measure(shifted, IMAGES, EXPECTED, 0.26)
    assert found.relative_difference == pytest.approx(0.25)
    with pytest.raises(ValueError, match=r"to 0\.2 of.*0\.25 over 3.*report the model"):
        measure(shifted, IMAGES, EXPECTED, 0.2)
    with pytest.raises(ValueError, match=r"Nothing was kept; take another\.$"):
        measure(shifted, IMAGES, EXPECTED, 0.2, "take another.")


def test_no_numbers_are_refused():
    with pytest.raises(ValueError, match=r"finite numbers.*3 of them"):
        compare(EXPECTED[:1], np.full((1, 3), np.nan))
