"""Acceptance of exports by their outputs, their predictions, and their accuracy."""

import numpy as np
import pytest

from keras_cait.export.pipeline.comparison import Comparison, compare
from keras_cait.export.pipeline.verdict import (
    all_of,
    by_difference,
    by_predictions,
    wilson_interval,
)

IMAGES, CLASSES = 200, 10
LABELS = np.arange(IMAGES) % CLASSES


def probabilities(wrong, *, sure=0.9):
    """Those of a model that calls the first images the next class."""
    answers = np.where(np.arange(IMAGES) < wrong, (LABELS + 1) % CLASSES, LABELS)
    rest = (1 - sure) / (CLASSES - 1)
    return np.where(np.eye(CLASSES)[answers] == 1, sure, rest)


@pytest.mark.parametrize("sure", [0.3, 0.5, 0.9])
@pytest.mark.parametrize(("wrong", "passed"), [(0, True), (14, True), (20, False)])
def test_the_predicted_class_decides_whatever_its_probability(wrong, passed, sure):
    expected = probabilities(0)
    found = by_predictions(expected, probabilities(wrong, sure=sure))
    assert found.passed == passed
    assert found.details["agreement"] == pytest.approx(1 - wrong / IMAGES)
    assert f"{100 - 100 * wrong / IMAGES:.1f} % of 200" in found.reason
    if sure == 0.3:  # the outputs alone would refuse all of them
        comparison = compare(expected, probabilities(wrong, sure=sure))
        assert not by_difference({"probabilities": comparison}, 0.1).passed


@pytest.mark.parametrize("count", [16, 32, 200])
def test_few_images_refuse_only_beyond_the_confidence_interval(count):
    expected = probabilities(0)[:count]
    for wrong in range(count):
        found = by_predictions(expected, probabilities(wrong)[:count])
        _, highest = wilson_interval(count - wrong, count)
        assert found.passed == (highest >= 0.95)
    assert by_predictions(expected, probabilities(1)[:count]).passed


def test_the_accuracy_decides_if_labels_are_known():
    expected, actual = probabilities(0), probabilities(14)
    assert by_predictions(expected, actual, is_close=True).passed
    found = by_predictions(expected, actual, LABELS, is_close=True)
    assert not found.passed
    assert found.details["accuracy of Keras"] == 1
    assert found.details["accuracy of the export"] == 0.93
    assert "100.0 % before, 93.0 % after" in found.reason
    better = by_predictions(actual, expected, LABELS, is_close=True)
    assert better.passed  # classes that change for the better


@pytest.mark.parametrize(("count", "total"), [(0, 16), (8, 16), (33, 33), (190, 200)])
def test_the_interval_contains_the_proportion(count, total):
    lowest, highest = wilson_interval(count, total)
    assert 0 <= lowest <= count / total <= highest <= 1
    assert wilson_interval(total - count, total) == pytest.approx(
        (1 - highest, 1 - lowest)
    )


def differing(difference):
    return Comparison(
        images=3,
        largest_difference=1,
        relative_difference=difference,
        top1_agreement=None,
    )


def test_a_difference_above_the_tolerance_is_refused_with_advice():
    found = {"features": differing(0.25), "logits": differing(0.1)}
    by_difference(found, 0.26).enforce()
    refused = by_difference(found, 0.2)
    with pytest.raises(ValueError, match=r"to 0\.2 of.*0\.25 over 3.*report the model"):
        refused.enforce()
    with pytest.raises(ValueError, match=r"Nothing was written; take another\.$"):
        refused.enforce("take another.")
    with pytest.raises(ValueError, match=r"take another\. `keep_anyway=True` keeps it"):
        refused.enforce("take another.", keep_anyway=False)
    refused.enforce("take another.", keep_anyway=True)
    assert "0.25 over 3 images in features" in refused.details["did not pass"]


def test_each_of_several_verdicts_must_pass():
    verdicts = [by_difference({"a": differing(x)}, 0.2) for x in (0.1, 0.3, 0.4)]
    assert all_of(verdicts[:1]).passed
    found = all_of(verdicts)
    assert not found.passed
    assert "0.3 over" in found.reason  # the first that failed
    both = [by_predictions(probabilities(0), probabilities(n)) for n in (0, 20)]
    assert not all_of(both).passed
    assert all_of(both).details["agreement"] == 1  # of the first
