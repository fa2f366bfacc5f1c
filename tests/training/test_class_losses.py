"""The sigmoid loss equals its formula in NumPy."""

import numpy as np
import pytest

from keras_cait.training.class_losses import class_loss, sigmoid_cross_entropy
from tests.support.models.tiny_models import to_numpy

LOGITS = np.random.default_rng(0).normal(0, 2, (5, 4)).astype("float32")


def by_hand(targets):
    x = LOGITS.astype("float64")
    p = 1 / (1 + np.exp(-x))
    return -(targets * np.log(p) + (1 - targets) * np.log(1 - p)).mean(-1)


def test_integer_labels_give_the_formula_written_out():
    labels = np.array([0, 1, 2, 3, 0])
    found = to_numpy(sigmoid_cross_entropy(labels, LOGITS))
    np.testing.assert_allclose(found, by_hand(np.eye(4)[labels]), rtol=1e-5)


def test_every_class_of_a_mixed_label_counts_in_full():
    labels = np.array([[0.9, 0.1, 0, 0]] * 5, "float32")
    found = to_numpy(sigmoid_cross_entropy(labels, LOGITS))
    np.testing.assert_allclose(found, by_hand(np.ceil(labels)), rtol=1e-5)


def test_losses_are_chosen_by_name_and_others_are_refused():
    assert class_loss("softmax") is None
    assert class_loss("sigmoid") is sigmoid_cross_entropy
    with pytest.raises(ValueError, match="'sigmoidal'"):
        class_loss("sigmoidal")
