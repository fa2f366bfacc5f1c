"""Labels with a teacher's logits train a student as the teacher itself does."""

import keras
import numpy as np
import pytest

from keras_cait import Distiller
from keras_cait.training.devices.strategy import make_strategy, scope_of
from tests.support.models.distillation_models import (
    CLASSES,
    make_batch,
    make_student,
    make_teacher,
    one_step,
    weights_of,
)


def with_logits(images, labels):
    """The labels with the teacher's logits."""
    logits = make_teacher().predict_on_batch(images)
    return {"labels": labels, "teacher_logits": logits}


def uncallable_teacher():
    """A teacher whose call fails the test."""
    teacher = make_teacher()

    def refuse(*_, **__):
        raise AssertionError("the teacher was called")

    teacher.call = refuse
    return teacher


def train(distillation, given):
    """Three steps; returns the last log and the weights."""
    teacher = uncallable_teacher() if given else make_teacher()
    distiller = Distiller(make_student(), teacher, distillation)
    top2 = keras.metrics.SparseTopKCategoricalAccuracy(2, name="top2")
    distiller.compile(keras.optimizers.SGD(0.1), metrics=[top2])
    log = {}
    for seed in range(3):
        images, labels = make_batch(seed=seed)
        targets = with_logits(images, labels) if given else labels
        log = one_step(distiller, images, targets)
    return log, weights_of(distiller.student)


@pytest.mark.parametrize(
    "distillation", ["soft", pytest.param("hard", marks=pytest.mark.slow)]
)
def test_given_logits_replace_the_teacher_in_the_same_step(distillation):
    (log, weights), (other_log, other) = (
        train(distillation, given) for given in (False, True)
    )
    assert log == pytest.approx(other_log, rel=1e-6)
    assert {"teacher_agreement", "top2"} <= set(log)
    for path, weight in weights.items():
        np.testing.assert_allclose(weight, other[path], atol=1e-6, err_msg=path)


def test_sample_weight_applies_to_given_logits():
    images, labels = make_batch()
    weight = np.linspace(0, 1, 8, dtype="float32")
    logs = []
    for targets in (labels, with_logits(images, labels)):
        distiller = Distiller(make_student(), make_teacher())
        distiller.compile("sgd")
        logs.append(one_step(distiller, images, targets, weight))
    assert logs[0] == pytest.approx(logs[1], rel=1e-6)


def test_the_teacher_computes_logits_that_are_not_given():
    """Trains on batches with logits, and validates on batches without."""
    images, labels = make_batch(16)
    distiller = Distiller(make_student(), make_teacher())
    distiller.compile("sgd")
    log = distiller.fit(
        images,
        with_logits(images, labels),
        validation_data=(images, labels),
        batch_size=8,
        verbose=0,
    ).history
    assert log["val_teacher_agreement"] == [
        distiller.evaluate(
            images, with_logits(images, labels), verbose=0, return_dict=True
        )["teacher_agreement"]
    ]


def test_without_distillation_given_logits_are_ignored():
    images, labels = make_batch()
    logs = []
    for targets in (labels, with_logits(images, labels)):
        distiller = Distiller(make_student(), distillation="none")
        distiller.compile("sgd")
        logs.append(one_step(distiller, images, targets))
    assert logs[0] == logs[1]


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        ({"labels": np.zeros(8, int)}, r"of \['labels'\]"),
        (
            {"labels": np.zeros(8, int), "teacher_logits": np.zeros((8, 7))},
            rf"\(batch, {CLASSES}\).*7\)",
        ),
    ],
)
def test_other_targets_are_refused(targets, message):
    distiller = Distiller(make_student(), make_teacher())
    distiller.compile("sgd", run_eagerly=True)
    with pytest.raises(ValueError, match=message):
        one_step(distiller, make_batch()[0], targets)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="tf.distribute")
@pytest.mark.slow  # tests/training/teachers/test_cached_logits.py trains on two anyway
@pytest.mark.parametrize("examples", [33, 40])
def test_one_and_two_replicas_agree(examples):
    """With 33 the last batch has one example, and one replica has none."""
    import tensorflow as tf

    images, labels = make_batch(examples)
    slices = tf.data.Dataset.from_tensor_slices
    targets = {k: slices(v) for k, v in with_logits(images, labels).items()}
    data = tf.data.Dataset.zip(slices(images), tf.data.Dataset.zip(targets)).batch(8)
    found = []
    for strategy in ("single", "mirrored:2"):
        with scope_of(make_strategy(strategy)):
            distiller = Distiller(make_student(), uncallable_teacher(), "soft")
            distiller.compile(keras.optimizers.SGD(0.1, momentum=0.9))
        log = distiller.fit(data, shuffle=False, verbose=0).history
        found.append((log, weights_of(distiller.student)))
    (log, weights), (other_log, other) = found
    for name, values in log.items():
        assert values == pytest.approx(other_log[name], rel=1e-5, abs=1e-6), name
    for path, weight in weights.items():
        np.testing.assert_allclose(weight, other[path], atol=1e-6, err_msg=path)
