"""A class loss trains a distiller as the same loss trains a plain `keras.Model`."""

import re

import keras
import numpy as np
import pytest
from keras import ops

from keras_cait import Distiller
from keras_cait.distillation.class_loss import get_class_loss
from keras_cait.distillation.losses import DistillationLoss, SoftDistillation
from keras_cait.distillation.objective import Objective
from keras_cait.training.devices.strategy import make_strategy, scope_of
from tests.support.models.distillation_models import one_step
from tests.support.models.tiny_models import to_numpy

CLASSES = 3
SHAPE = (2, 2, 3)
# Sizes of the batches; JAX compiles its step anew for each.
EXAMPLES = range(1, 34) if keras.backend.backend() == "tensorflow" else (1, 7, 32, 33)


def make_model():
    """Few weights, so that a step costs its tracing and nothing else."""
    keras.utils.set_random_seed(1)
    inputs = keras.Input(SHAPE)
    flat = keras.layers.Flatten()(inputs)
    return keras.Model(inputs, keras.layers.Dense(CLASSES)(flat))


def cross_entropy(labels, logits):
    return keras.losses.sparse_categorical_crossentropy(
        labels, logits, from_logits=True
    )


def column(labels, logits):
    return ops.expand_dims(cross_entropy(labels, logits), -1)


def by_class(labels, logits):
    """The squared error of each class, `(batch, classes)`."""
    return ops.square(logits - ops.one_hot(ops.cast(labels, "int32"), CLASSES))


def scalar(labels, logits):
    return ops.mean(cross_entropy(labels, logits))


def total(labels, logits):
    return ops.sum(cross_entropy(labels, logits))


def kept(labels, logits):
    return ops.mean(cross_entropy(labels, logits), keepdims=True)


class CrossEntropy(keras.losses.Loss):
    def call(self, y_true, y_pred):
        return cross_entropy(y_true, y_pred)


class ReducesItself(keras.losses.Loss):
    def __call__(self, y_true, y_pred, sample_weight=None):
        return scalar(y_true, y_pred)


BY_EXAMPLE = {
    "(batch,)": cross_entropy,
    "(batch, 1)": column,
    "(batch, classes)": by_class,
    "Loss": CrossEntropy(),
    "Loss with mean": CrossEntropy("mine", "mean"),
}
FOR_A_BATCH = {
    "mean": scalar,
    "sum": total,
    "(1,)": kept,
    "Loss that reduces itself": ReducesItself(),
}
ALL = BY_EXAMPLE | FOR_A_BATCH


class Batches(keras.utils.PyDataset):
    """One batch of each size."""

    def __init__(self, *, weighted=False):
        super().__init__()
        rng = np.random.default_rng(0)
        self.batches = []
        for size in EXAMPLES:
            images = rng.normal(size=(size, *SHAPE)).astype("float32")
            batch = images, rng.integers(0, CLASSES, size)
            weight = rng.uniform(size=size).astype("float32")
            self.batches.append((*batch, weight) if weighted else batch)

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, index):
        return self.batches[index]


def trained(model, loss, data):
    """The weights after a step on each batch."""
    model.compile(keras.optimizers.SGD(0.02), loss)
    model.fit(data, shuffle=False, verbose=0)
    return getattr(model, "student", model).get_weights()


def assert_equal(found, expected, atol=1e-6):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=atol)


@pytest.mark.parametrize("name", ALL)
def test_a_loss_is_reduced_as_in_a_keras_model(name):
    plain = make_model()
    plain.compile("sgd", ALL[name])
    objective = Objective(
        class_loss=get_class_loss(ALL[name]), distillation=None, alpha=0.5
    )
    for images, labels in Batches().batches:
        logits = images[:, 0, 0, :]
        losses = objective.losses(labels, {"class": logits}, None, None)["loss"]
        assert losses.shape == labels.shape
        expected = plain.compute_loss(images, labels, logits)
        assert to_numpy(losses).mean() == pytest.approx(to_numpy(expected), rel=1e-6)


def _names():
    for name in ALL:
        runs = name in ("(batch, 1)", "mean")
        yield pytest.param(name, marks=() if runs else pytest.mark.slow)


@pytest.mark.parametrize("name", list(_names()))
def test_a_loss_trains_as_in_a_keras_model(name):
    loss = ALL[name]
    expected = trained(make_model(), loss, Batches())
    alone = Distiller(make_model(), distillation="none")
    assert_equal(trained(alone, loss, Batches()), expected)
    taught = Distiller(make_model(), make_model(), "soft", alpha=0.0)
    assert_equal(trained(taught, loss, Batches()), expected)


def test_sample_weights_apply_as_in_a_keras_model():
    expected = trained(make_model(), cross_entropy, Batches(weighted=True))
    distiller = Distiller(make_model(), distillation="none")
    assert_equal(trained(distiller, column, Batches(weighted=True)), expected)


class Column(DistillationLoss):
    """Gives `(batch, 1)`."""

    def __call__(self, teacher_logits, student_logits):
        soft = SoftDistillation()(teacher_logits, student_logits)
        return ops.expand_dims(soft, -1)

    def get_config(self):
        return {}


def test_a_distillation_loss_of_another_shape_trains_alike():
    weights = []
    for loss in (SoftDistillation(), Column()):
        distiller = Distiller(make_model(), make_teacher(), loss, alpha=0.7)
        weights.append(trained(distiller, column, Batches()))
    assert_equal(*weights)


def make_teacher():
    teacher = make_model()
    teacher.set_weights([3 * weight[::-1] for weight in teacher.get_weights()])
    return teacher


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="tf.distribute")
@pytest.mark.parametrize(
    "name", ["(batch, 1)", pytest.param("(batch, classes)", marks=pytest.mark.slow)]
)
def test_two_replicas_train_as_one(name):
    """Also on batches that do not divide evenly, and on one of a single example."""
    import tensorflow as tf

    weights = []
    for strategy in ("single", "mirrored:2"):
        with scope_of(make_strategy(strategy)):
            distiller = Distiller(make_model(), make_teacher(), "soft", alpha=0.3)
        images, labels = zip(*Batches().batches, strict=True)
        data = tf.data.Dataset.from_tensor_slices(
            (np.concatenate(images)[:33], np.concatenate(labels)[:33])
        )
        weights.append(trained(distiller, BY_EXAMPLE[name], data.batch(8)))
    assert_equal(*weights)


@pytest.mark.parametrize("name", FOR_A_BATCH)
def test_one_number_for_a_batch_is_refused_with_weights(name):
    distiller = Distiller(make_model(), distillation="none")
    distiller.compile("sgd", FOR_A_BATCH[name], run_eagerly=True)
    with pytest.raises(ValueError, match=r"`loss` must give one number an example"):
        distiller.fit(Batches(weighted=True), shuffle=False, verbose=0)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="tf.distribute")
def test_one_number_for_a_batch_is_refused_on_two_replicas():
    with scope_of(make_strategy("mirrored:2")):
        distiller = Distiller(make_model(), distillation="none")
    images, labels = Batches()[3]
    distiller.compile("sgd", scalar)
    with pytest.raises(ValueError, match=r"several replicas.*Received"):
        distiller.fit(images, labels, verbose=0)


def over_classes(labels, logits):
    return ops.mean(logits, axis=0)


def test_a_loss_that_reduces_the_examples_is_refused():
    distiller = Distiller(make_model(), distillation="none")
    distiller.compile("sgd", over_classes)
    images = np.zeros((8, *SHAPE), "float32")
    with pytest.raises(ValueError, match=r"gives \(3,\).*axis=-1"):
        one_step(distiller, images, np.zeros(8, int))


@pytest.mark.parametrize(
    ("loss", "named"),
    [
        (CrossEntropy(reduction="sum"), "reduction='sum'"),
        (keras.losses.CategoricalCrossentropy(reduction=None), "reduction=None"),
        (CrossEntropy("m", "mean_with_sample_weight"), "mean_with_sample_weight"),
        ({"class": "mse", "distillation": "mse"}, "{'class': 'mse', 'dist"),
        (["mse", "mse"], "['mse', 'mse']"),
        ("mse", "mse"),
    ],
)
def test_losses_without_logits_or_means_are_refused(loss, named):
    distiller = Distiller(make_model(), distillation="none")
    with pytest.raises(ValueError, match=rf"(?s)`loss`.*{re.escape(named)}"):
        distiller.compile("sgd", loss)
