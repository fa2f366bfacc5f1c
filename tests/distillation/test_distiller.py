"""One step of the distiller, on every backend."""

import keras
import numpy as np
import pytest

from keras_cait import Distiller, HardDistillation, SoftDistillation, separate_heads
from tests.support.models.distillation_models import (
    CLASSES,
    SHAPE,
    make_batch,
    make_student,
    make_teacher,
    one_step,
    weights_of,
)


def changed(before, after):
    return {path for path in before if not np.array_equal(before[path], after[path])}


@pytest.mark.parametrize(
    ("alpha", "trained", "kept"),
    [(0.0, "/head/", "/head_distillation/"), (1.0, "/head_distillation/", "/head/")],
)
@pytest.mark.parametrize("distillation", ["hard", "soft"])
def test_each_loss_trains_its_own_head(distillation, alpha, trained, kept):
    student = make_student()
    distiller = Distiller(student, make_teacher(), distillation, alpha)
    distiller.compile(keras.optimizers.SGD(0.1))
    before = weights_of(student)
    one_step(distiller, *make_batch())
    paths = {f"/{path}" for path in changed(before, weights_of(student))}
    assert any(trained in path for path in paths)
    assert not any(kept in path for path in paths)


def test_without_a_teacher_both_heads_learn_from_the_labels():
    student = make_student()
    distiller = Distiller(student, distillation="none")
    distiller.compile(keras.optimizers.SGD(0.1))
    before = weights_of(student)
    images, labels = make_batch()
    predictions = student.predict_on_batch(images)
    log = one_step(distiller, images, labels)
    expected = -np.mean(np.log(predictions[np.arange(8), labels]))
    assert log["loss"] == pytest.approx(float(expected), rel=1e-5)
    assert log["loss"] == log["class_loss"]
    paths = changed(before, weights_of(student))
    assert {p for p in before if "head" in p} <= paths


def test_the_teacher_does_not_change():
    teacher = make_teacher()
    before = weights_of(teacher)
    trainable = [layer.trainable for layer in teacher.layers]
    distiller = Distiller(make_student(), teacher)
    distiller.compile(keras.optimizers.SGD(0.1))
    distiller.fit(*make_batch(32), verbose=0)
    assert changed(before, weights_of(teacher)) == set()
    assert [layer.trainable for layer in teacher.layers] == trainable
    assert len(teacher.trainable_variables) == 6


def test_a_step_equals_the_formula_written_out():
    student, teacher = make_student(), make_teacher()
    images, labels = make_batch()
    heads = separate_heads(student).predict_on_batch(images)
    teacher_logits = teacher.predict_on_batch(images)
    distiller = Distiller(student, teacher, SoftDistillation(temperature=2.0), 0.3)
    distiller.compile("sgd")
    log = one_step(distiller, images, labels)

    def log_softmax(logits):
        return logits - np.log(np.sum(np.exp(logits), axis=1, keepdims=True))

    class_loss = -np.mean(log_softmax(heads["class"])[np.arange(8), labels])
    p, q = log_softmax(teacher_logits / 2), log_softmax(heads["distillation"] / 2)
    distillation_loss = 4 * np.mean(np.sum(np.exp(p) * (p - q), axis=1))
    assert log["class_loss"] == pytest.approx(class_loss, rel=1e-4)
    assert log["distillation_loss"] == pytest.approx(distillation_loss, rel=1e-4)
    total = 0.7 * class_loss + 0.3 * distillation_loss
    assert log["loss"] == pytest.approx(total, rel=1e-4)


def test_metrics_equal_those_of_numpy():
    student, teacher = make_student(), make_teacher()
    images, labels = make_batch(64)
    heads = separate_heads(student).predict_on_batch(images)
    mean = (heads["class"] + heads["distillation"]).argmax(1)
    distiller = Distiller(student, teacher)
    distiller.compile("sgd")
    log = distiller.evaluate(images, labels, verbose=0, return_dict=True)
    classes = teacher.predict_on_batch(images).argmax(1)
    expected = {
        "accuracy": mean == labels,
        "class_accuracy": heads["class"].argmax(1) == labels,
        "distillation_accuracy": heads["distillation"].argmax(1) == labels,
        "teacher_agreement": mean == classes,
    }
    for name, right in expected.items():
        assert log[name] == pytest.approx(np.mean(right)), name


def test_labels_may_be_indices_one_hot_or_soft():
    images, labels = make_batch()
    logs = []
    for form in (labels, labels[:, None], np.eye(CLASSES, dtype="float32")[labels]):
        distiller = Distiller(make_student(), make_teacher())
        distiller.compile("sgd")
        logs.append(one_step(distiller, images, form))
    for log in logs[1:]:
        assert log == pytest.approx(logs[0], rel=1e-6)
    soft = np.full((8, CLASSES), 1 / CLASSES, "float32")
    log = one_step(distiller, images, soft)
    assert log["class_loss"] == pytest.approx(np.log(CLASSES), abs=0.05)


def test_loss_does_not_depend_on_the_students_activation():
    images, labels = make_batch()
    logs = []
    for activation in ("softmax", None):
        distiller = Distiller(make_student(activation=activation), make_teacher())
        distiller.compile("sgd", "sparse_categorical_crossentropy")
        logs.append(one_step(distiller, images, labels))
    assert logs[0] == pytest.approx(logs[1], rel=1e-6)


def test_a_teacher_that_ends_in_softmax_is_recognized():
    images, labels = make_batch()
    logs = []
    for activation in (None, "softmax"):
        distiller = Distiller(make_student(), make_teacher(activation), "soft")
        distiller.compile("sgd")
        logs.append(one_step(distiller, images, labels))
    assert logs[0] == pytest.approx(logs[1], rel=1e-4)


def test_a_teacher_of_unknown_output_must_be_declared():
    inputs = keras.Input(SHAPE)
    scores = keras.layers.Conv2D(CLASSES, 8)(inputs)
    teacher = keras.Model(inputs, keras.layers.GlobalMaxPooling2D()(scores))
    with pytest.raises(ValueError, match="logits or probabilities"):
        Distiller(make_student(), teacher)
    distiller = Distiller(make_student(), teacher, teacher_output="logits")
    distiller.compile("sgd")
    assert np.isfinite(one_step(distiller, *make_batch())["loss"])


def test_a_teacher_at_another_resolution_gets_resized_images():
    images, labels = make_batch()
    teacher = make_teacher(shape=(32, 24, 3))
    resize = keras.layers.Resizing(32, 24)
    distiller = Distiller(make_student(), teacher, teacher_preprocessing=resize)
    distiller.compile("sgd")
    log = distiller.evaluate(images, labels, verbose=0, return_dict=True)
    classes = teacher.predict_on_batch(resize(images)).argmax(1)
    predicted = distiller.student.predict_on_batch(images).argmax(1)
    assert log["teacher_agreement"] == pytest.approx(np.mean(classes == predicted))


def test_a_student_with_one_head_is_distilled_through_it():
    student, teacher = make_student(distilled=False), make_teacher()
    images, labels = make_batch()
    logits = separate_heads(student).predict_on_batch(images)["class"]
    distiller = Distiller(student, teacher, HardDistillation(), alpha=1.0)
    distiller.compile("sgd")
    log = one_step(distiller, images, labels)
    classes = teacher.predict_on_batch(images).argmax(1)
    log_softmax = logits - np.log(np.sum(np.exp(logits), axis=1, keepdims=True))
    expected = -np.mean(log_softmax[np.arange(8), classes])
    assert log["loss"] == pytest.approx(float(expected), rel=1e-4)
    assert "class_accuracy" not in log


def test_sample_weight_weighs_examples():
    images, labels = make_batch()
    weight = np.array([0, 0, 0, 0, 2, 2, 2, 2], "float32")
    weighted, halved = (
        Distiller(make_student(), make_teacher(), "soft") for _ in range(2)
    )
    for distiller in (weighted, halved):
        distiller.compile(keras.optimizers.SGD(0.1))
    log = one_step(weighted, images, labels, weight)
    assert log["loss"] == pytest.approx(
        one_step(halved, images[4:], labels[4:])["loss"], rel=1e-5
    )
    after = weights_of(weighted.student), weights_of(halved.student)
    for one, other in zip(*(w.values() for w in after), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_metrics_and_regularizers_of_the_user_are_applied():
    student = make_student()
    images, labels = make_batch()
    head = student.get_layer("head")
    head.kernel.regularizer = keras.regularizers.L2(0.5)
    penalty = 0.5 * float(np.sum(np.square(head.get_weights()[0])))
    distiller = Distiller(student, make_teacher())
    top2 = keras.metrics.SparseTopKCategoricalAccuracy(2, name="top2")
    distiller.compile("sgd", metrics=[top2])
    predictions = student.predict_on_batch(images)
    log = one_step(distiller, images, labels)
    parts = 0.5 * (log["class_loss"] + log["distillation_loss"])
    assert log["loss"] == pytest.approx(parts + penalty, rel=1e-5)
    best = np.argsort(predictions, axis=1)[:, -2:]
    assert log["top2"] == pytest.approx(np.mean(np.any(best == labels[:, None], 1)))


class WithUnusedWeight(keras.layers.Layer):
    def build(self, input_shape):
        self.unused = self.add_weight(shape=(2,), initializer="ones", name="unused")

    def call(self, inputs):
        return inputs


def test_a_weight_without_influence_is_unchanged():
    inputs = keras.Input(SHAPE)
    layer = WithUnusedWeight()
    x = keras.layers.GlobalAveragePooling2D()(layer(inputs))
    student = keras.Model(inputs, keras.layers.Dense(CLASSES, name="head")(x))
    distiller = Distiller(student, make_teacher())
    distiller.compile(keras.optimizers.SGD(0.1))
    before = weights_of(student)
    one_step(distiller, *make_batch())
    paths = changed(before, weights_of(student))
    assert paths
    assert not any("unused" in path for path in paths)
