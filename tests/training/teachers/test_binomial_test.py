"""Guesses pass the test of a teacher as rarely as its level promises."""

import numpy as np
import pytest

from keras_cait.training.teachers.binomial_test import chance_p_value


@pytest.mark.parametrize("images", [10, 100, 5000])
@pytest.mark.parametrize(
    ("labels", "answers"),
    [
        ([0.5, 0.5], [0.5, 0.5]),
        ([0.9, 0.1], [0.9, 0.1]),  # the commonest class, mostly
        ([0.9, 0.1], [0.5, 0.5]),
        ([0.1] * 10, [0.1] * 10),
        ([0.1] * 10, [0.7, 0.3, *[0.0] * 8]),
    ],
)
def test_guesses_pass_as_rarely_as_the_level(labels, answers, images):
    rng = np.random.default_rng(0)
    classes = np.arange(len(labels))
    passed = [
        chance_p_value(
            rng.choice(classes, images, p=labels),
            rng.choice(classes, images, p=answers),
        )
        < 0.05
        for _ in range(200)
    ]
    assert np.mean(passed) < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200)


def test_a_single_class_for_all_images_never_passes():
    labels = np.array([0] * 99 + [1])
    for answer in (0, 1):
        assert chance_p_value(labels, np.full(100, answer)) > 0.5


@pytest.mark.parametrize(
    ("classes", "accuracy", "images"),
    [(2, 0.74, 100), (10, 0.3, 60), (1000, 0.02, 2000)],
)
def test_a_trained_classifier_passes(classes, accuracy, images):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, classes, images)
    knows = np.arange(images) < accuracy * images
    wrong = (labels + rng.integers(1, classes, images)) % classes
    assert chance_p_value(labels, np.where(knows, labels, wrong)) < 1e-3
