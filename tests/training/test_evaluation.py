"""Predictions are counted as by hand."""

import numpy as np
import pytest

from keras_cait.training.evaluation import named_outputs, predict
from tests.support.models.tiny_models import images, randomize, tiny_deit, to_numpy

SCORES = np.array(
    [[5, 4, 3, 2, 1, 0], [0, 1, 2, 3, 4, 5], [9, 0, 0, 8, 0, 7], [1, 2, 3, 0, 5, 4]],
    "float32",
)
LABELS = np.array([0, 0, 3, 4])


def of_scores(top=5):
    batches = [(SCORES[:3], LABELS[:3]), (SCORES[3:], LABELS[3:])]
    return predict(lambda x: {"output": x}, batches, top=top)


def test_accuracy_counts_the_top_classes():
    found = of_scores()
    assert found.accuracy("output") == 0.5
    assert found.accuracy("output", top=2) == 0.75
    assert found.accuracy("output", top=5) == 0.75
    assert of_scores(top=6).accuracy("output", top=6) == 1
    assert found.images_per_second > 0


def test_accuracy_by_class_is_nan_without_images():
    rates = of_scores().accuracy_by_class("output", 6)
    np.testing.assert_array_equal(rates[[0, 3, 4]], [0.5, 0, 1])
    assert np.isnan(rates[[1, 2, 5]]).all()


@pytest.mark.parametrize("distilled", [False, True])
def test_a_model_with_two_heads_has_three_named_outputs(distilled):
    model = randomize(tiny_deit(distilled=distilled))
    x = images(4, 32, 32, 3)
    outputs = named_outputs(model)(x)
    np.testing.assert_allclose(outputs["output"], to_numpy(model(x)), rtol=1e-5)
    if not distilled:
        assert list(outputs) == ["output"]
        return
    mean = (outputs["class head"] + outputs["distillation head"]) / 2
    odds = np.exp(mean - mean.max(-1, keepdims=True))
    expected = odds / odds.sum(-1, keepdims=True)
    np.testing.assert_allclose(outputs["output"], expected, rtol=1e-4, atol=1e-7)
