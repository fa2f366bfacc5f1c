"""The losses equal the reference numbers and the formulas of the paper."""

import keras
import numpy as np
import pytest

from keras_cait import HardDistillation, SoftDistillation
from keras_cait.distillation.class_loss import cross_entropy, get_class_loss
from keras_cait.distillation.losses import get_distillation_loss
from keras_cait.distillation.objective import Objective
from tests.support import reference


@pytest.fixture(scope="module")
def numbers():
    return reference.numbers("losses")


def mean(values):
    assert values.shape == (16,)
    return float(keras.ops.mean(values))


@pytest.mark.parametrize("temperature", [1, 3])
@pytest.mark.parametrize("reduction", ["batchmean", "numel"])
def test_soft_loss_equals_torch(numbers, temperature, reduction):
    loss = SoftDistillation(temperature=temperature, reduction=reduction)
    found = mean(loss(numbers["teacher_logits"], numbers["distillation_logits"]))
    expected = numbers[f"soft/t{temperature}/{reduction}"]
    assert found == pytest.approx(float(expected), rel=1e-5)


def test_soft_loss_is_the_papers_formula(numbers):
    """Squared temperature times KL; on raw logits it would be five times as much."""
    teacher, student = numbers["teacher_logits"], numbers["distillation_logits"]

    def softmax(logits):
        powers = np.exp((logits - logits.max(1, keepdims=True)).astype("float64") / 3)
        return powers / powers.sum(1, keepdims=True)

    p, q = softmax(teacher), softmax(student)
    divergence = np.sum(p * np.log(p / q), axis=1)
    found = SoftDistillation(temperature=3.0)(teacher, student)
    np.testing.assert_allclose(found, 9 * divergence, rtol=1e-5, atol=1e-6)


def test_hard_loss_equals_torch(numbers):
    found = mean(
        HardDistillation()(numbers["teacher_logits"], numbers["distillation_logits"])
    )
    assert found == pytest.approx(float(numbers["hard"]), rel=1e-5)


def test_hard_loss_smooths_labels():
    teacher, student = np.array([[9.0, 0.0, 0.0]]), np.log([[0.7, 0.2, 0.1]])
    found = float(HardDistillation(label_smoothing=0.3)(teacher, student)[0])
    expected = -(0.8 * np.log(0.7) + 0.1 * np.log(0.2) + 0.1 * np.log(0.1))
    assert found == pytest.approx(expected, rel=1e-6)


def test_class_loss_equals_torch(numbers):
    found = mean(cross_entropy(numbers["targets"], numbers["class_logits"]))
    assert found == pytest.approx(float(numbers["class_loss"]), rel=1e-5)


@pytest.mark.parametrize(
    ("loss", "alpha", "key"),
    [
        (HardDistillation(), 0.5, "total/hard/alpha0.5"),
        (SoftDistillation(temperature=3.0), 0.1, "total/soft/alpha0.1/t3/batchmean"),
    ],
)
def test_objective_equals_torch(numbers, loss, alpha, key):
    objective = Objective(class_loss=cross_entropy, distillation=loss, alpha=alpha)
    heads = {
        "class": numbers["class_logits"],
        "distillation": numbers["distillation_logits"],
    }
    found = objective.losses(numbers["targets"], heads, numbers["teacher_logits"], None)
    assert mean(found["loss"]) == pytest.approx(float(numbers[key]), rel=1e-5)


def test_half_precision_logits_are_widened():
    teacher = keras.ops.cast([[300.0, 0.0]], "float16")
    student = keras.ops.cast([[0.0, 300.0]], "float16")
    for loss in (HardDistillation(), SoftDistillation(temperature=1.0)):
        found = loss(teacher, student)
        assert found.dtype == "float32"
        assert float(found[0]) == pytest.approx(300)


@pytest.mark.parametrize(
    "loss",
    [
        HardDistillation(label_smoothing=0.1),
        SoftDistillation(temperature=2.0, reduction="numel"),
    ],
)
def test_a_loss_survives_its_config(loss):
    config = keras.saving.serialize_keras_object(loss)
    again = keras.saving.deserialize_keras_object(config)
    assert repr(again) == repr(loss)


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: SoftDistillation(temperature=0.0), "temperature=0.0"),
        (lambda: SoftDistillation(temperature=float("nan")), "temperature=nan"),
        (lambda: SoftDistillation.from_config({"reduction": "sum"}), "reduction='sum'"),
        (lambda: HardDistillation(label_smoothing=1.0), "label_smoothing=1.0"),
        (lambda: get_distillation_loss("hrad"), "distillation='hrad'"),
        (lambda: get_class_loss("mean_squared_error"), "mean_squared_error"),
        (lambda: get_class_loss(keras.losses.KLDivergence()), "from_logits"),
    ],
)
def test_arguments_out_of_range_are_refused(make, named):
    with pytest.raises(ValueError, match=named):
        make()


@pytest.mark.parametrize(
    "identifier",
    [
        None,
        "sparse_categorical_crossentropy",
        keras.losses.sparse_categorical_crossentropy,
        keras.losses.SparseCategoricalCrossentropy(),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    ],
)
@pytest.mark.parametrize("labels", [np.array([1, 0]), np.array([[1], [0]])])
def test_every_form_of_class_loss_is_computed_on_logits(identifier, labels):
    logits = np.array([[0.0, 2.0], [1.0, 4.0]], "float32")
    found = get_class_loss(identifier)(labels, logits)
    expected = np.log(1 + np.exp(np.array([-2.0, 3.0])))
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_class_loss_keeps_the_options_of_a_loss_object():
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=0.2)
    logits = np.array([[0.0, 2.0]], "float32")
    smooth = get_class_loss(loss)(np.array([[0.0, 1.0]], "float32"), logits)
    plain = cross_entropy(np.array([[0.1, 0.9]], "float32"), logits)
    np.testing.assert_allclose(smooth, plain, rtol=1e-6)
