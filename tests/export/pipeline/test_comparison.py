"""Comparison of outputs, and runs on single images."""

import numpy as np
import pytest

from keras_cait.export.pipeline.comparison import (
    compare,
    compare_outputs,
    median_latency,
    predict_singly,
    worst,
)

IMAGES = np.random.default_rng(0).uniform(size=(3, 2, 2, 3))
EXPECTED = IMAGES[:, 0, 0]


def test_each_image_is_run_alone():
    def first_pixel(image):
        assert image.shape == (1, 2, 2, 3)
        return {"features": image[:, 0, 0], "image": image}

    found = predict_singly(first_pixel, IMAGES)
    assert list(found) == ["features", "image"]
    np.testing.assert_array_equal(found["features"], EXPECTED)
    np.testing.assert_array_equal(found["image"], IMAGES)


def test_the_difference_is_relative_to_the_largest_output():
    found = compare(EXPECTED, EXPECTED + 0.25 * EXPECTED.max())
    assert found.relative_difference == pytest.approx(0.25)
    assert found.largest_difference == pytest.approx(0.25 * EXPECTED.max())
    assert (found.images, found.top1_agreement, found.shape) == (3, 1, (3,))


def test_outputs_are_compared_by_name_and_classes_only_where_there_are_any():
    expected = {"features": EXPECTED, "logits": EXPECTED}
    found = compare_outputs(
        expected, {"logits": EXPECTED[:, ::-1], "features": 1.5 * EXPECTED}
    )
    assert list(found) == ["features", "logits"]
    assert found["features"].relative_difference == pytest.approx(0.5)
    assert found["features"].top1_agreement is None
    agreement = np.mean(EXPECTED.argmax(-1) == EXPECTED[:, ::-1].argmax(-1))
    assert found["logits"].top1_agreement == agreement < 1
    overall = worst([*found.values(), compare(EXPECTED, EXPECTED)])
    difference = np.abs(EXPECTED - EXPECTED[:, ::-1]).max()
    largest = max(difference, EXPECTED.max() / 2)
    assert overall.largest_difference == pytest.approx(largest)
    assert overall.top1_agreement == agreement
    assert worst([found["features"]]).top1_agreement is None
    with pytest.raises(ValueError, match=r"give features, logits. Received: logits\."):
        compare_outputs(expected, {"logits": EXPECTED})


def test_the_latency_is_the_median_of_the_calls_after_two():
    calls = []
    assert 0 < median_latency(lambda: calls.append(1), repeats=5) < 1000
    assert len(calls) == 7


def test_outputs_that_are_not_finite_are_refused():
    with pytest.raises(ValueError, match=r"finite numbers.* as features\..*3 of them"):
        compare(EXPECTED[:1], np.full((1, 3), np.nan), "features")
