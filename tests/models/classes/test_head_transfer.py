import numpy as np
import pytest

from keras_cait.models.classes.head_transfer import head_weights, reorder_heads
from tests.support.models.tiny_models import randomize, tiny_deit


@pytest.fixture
def model():
    return randomize(tiny_deit(classes=3, distilled=True, depth=1))


def brought(model, names, loaded):
    start = {name: [0 * w for w in row] for name, row in head_weights(model).items()}
    reorder_heads(model, start, class_names=names, loaded_names=loaded)
    return head_weights(model)


@pytest.mark.parametrize("loaded", [None, ("a", "b", "c"), ("a", "b")])
def test_heads_for_the_same_classes_or_unknown_ones_stay(loaded, model):
    before = head_weights(model)
    for name, weights in brought(model, ("a", "b", "c"), loaded).items():
        for found, expected in zip(weights, before[name], strict=True):
            np.testing.assert_array_equal(found, expected)


def test_outputs_are_put_in_the_order_of_the_classes(model):
    before = head_weights(model)
    after = brought(model, ("a", "b", "c"), ("c", "a", "b"))
    assert sorted(after) == ["head", "head_distillation"]
    for name, (kernel, bias) in after.items():
        np.testing.assert_array_equal(kernel, before[name][0][:, [1, 2, 0]])
        np.testing.assert_array_equal(bias, before[name][1][[1, 2, 0]])


def test_heads_for_other_classes_start_anew(model):
    with pytest.warns(UserWarning, match=r"others: .*'c'.*keep their random start"):
        after = brought(model, ("a", "b", "c"), ("a", "b", "d"))
    assert all(not weights.any() for row in after.values() for weights in row)
