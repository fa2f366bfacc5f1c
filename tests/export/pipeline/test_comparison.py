"""Comparison of outputs, and runs on single images."""

import numpy as np
import pytest

from keras_cait.export.pipeline.comparison import (
    compare,
    median_latency,
    predict_singly,
)

IMAGES = np.random.default_rng(0).uniform(size=(3, 2, 2, 3))
EXPECTED = IMAGES[:, 0, 0]


def test_each_image_is_run_alone():
    def first_pixel(image):
        assert image.shape == (1, 2, 2, 3)
        return image[:, 0, 0]

    found = compare(EXPECTED, predict_singly(first_pixel, IMAGES))
    assert found == compare(EXPECTED, EXPECTED)
    assert found.relative_difference == 0


def test_the_difference_is_relative_to_the_largest_output():
    found = compare(EXPECTED, EXPECTED + 0.25 * EXPECTED.max())
    assert found.relative_difference == pytest.approx(0.25)
    assert found.largest_difference == pytest.approx(0.25 * EXPECTED.max())
    assert (found.images, found.top1_agreement) == (3, 1)


def test_the_latency_is_the_median_of_the_calls_after_two():
    calls = []
    assert 0 < median_latency(lambda: calls.append(1), repeats=5) < 1000
    assert len(calls) == 7


def test_outputs_that_are_not_finite_are_refused():
    with pytest.raises(ValueError, match=r"finite numbers.*3 of them"):
        compare(EXPECTED[:1], np.full((1, 3), np.nan))
