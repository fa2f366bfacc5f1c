"""Data and options of Keras's `fit` work for a Distiller as for any model."""

import keras
import numpy as np
import pytest

from tests.distillation.fit.test_keras_callbacks import IMAGES, LABELS, make_distiller

ONE_HOT = np.eye(2, dtype="float32")[LABELS]
TWICE = {0: 1.0, 1: 2.0}
WEIGHTS = np.array([TWICE[label] for label in LABELS], "float32")
BATCH = 16


@pytest.fixture(scope="module")
def shared():
    distiller = make_distiller(keras.optimizers.SGD(0.05))
    return distiller, distiller.get_weights()


def trained(shared, *data, new_labels=False, **options):
    """The log and the weights of two epochs in a given order."""
    distiller, start = shared
    distiller.set_weights(start)
    distiller.make_train_function(force=new_labels)  # traced for labels of one rank
    given = {"epochs": 2, "shuffle": False, "verbose": 0} | options
    if isinstance(data[0], np.ndarray):
        given = {"batch_size": BATCH, **given}
    log = distiller.fit(*data, **given).history
    return log, distiller.get_weights()


def assert_same(one, other):
    for name, values in one[0].items():
        assert values == pytest.approx(other[0][name], rel=1e-5), name
    for weight, another in zip(one[1], other[1], strict=True):
        np.testing.assert_allclose(weight, another, atol=1e-6)


@pytest.fixture(scope="module")
def plain(shared):
    return trained(shared, IMAGES, LABELS)


@pytest.fixture(scope="module")
def weighted(shared):
    return trained(shared, IMAGES, LABELS, sample_weight=WEIGHTS)


class Batches(keras.utils.PyDataset):
    """The images in parts, read by two threads."""

    def __init__(self, labels=LABELS):
        super().__init__(workers=2, max_queue_size=4)
        self.labels = labels

    def __len__(self):
        return len(IMAGES) // BATCH

    def __getitem__(self, index):
        part = slice(index * BATCH, (index + 1) * BATCH)
        return IMAGES[part], self.labels[part]


def generated():
    while True:
        yield from (Batches()[index] for index in range(4))


def dataset(labels=LABELS):
    import tensorflow as tf

    return tf.data.Dataset.from_tensor_slices((IMAGES, labels)).batch(BATCH)


def test_every_form_of_data_trains_alike(shared, plain):
    assert_same(trained(shared, Batches()), plain)
    assert_same(trained(shared, generated(), steps_per_epoch=4), plain)
    if keras.backend.backend() == "tensorflow":
        assert_same(trained(shared, dataset()), plain)


def test_class_weights_equal_sample_weights(shared, weighted, plain):
    assert weighted[0]["loss"] != plain[0]["loss"]
    for labels in (LABELS, ONE_HOT):
        forms = [(IMAGES, labels), (Batches(labels),)]
        if keras.backend.backend() == "tensorflow":
            forms.append((dataset(labels),))
        for data in forms:
            new = data is forms[0]
            log = trained(shared, *data, class_weight=TWICE, new_labels=new)
            assert_same(log, weighted)
    shared[0].make_train_function(force=True)


def test_class_weights_are_refused_beside_given_logits(shared):
    targets = {"labels": LABELS, "teacher_logits": ONE_HOT}
    with pytest.raises(ValueError, match=r"`class_weight` is only supported"):
        trained(shared, IMAGES, targets, class_weight=TWICE)


def test_split_and_separate_validation_data_agree(shared):
    split = trained(shared, IMAGES, LABELS, validation_split=0.25)
    data = (IMAGES[48:], LABELS[48:])
    apart = trained(shared, IMAGES[:48], LABELS[:48], validation_data=data)
    assert_same(split, apart)
    weighted = (*data, np.full(16, 2.0, "float32"))
    log, _ = trained(
        shared, IMAGES[:48], LABELS[:48], validation_data=weighted, validation_freq=2
    )
    assert log["val_loss"] == pytest.approx([2 * apart[0]["val_loss"][1]], rel=1e-5)


def test_initial_epoch_and_steps_per_epoch_apply(shared, plain):
    log, _ = trained(
        shared, IMAGES, LABELS, initial_epoch=1, epochs=3, steps_per_epoch=4
    )
    assert log["loss"] == pytest.approx(plain[0]["loss"], rel=1e-5)
    log, _ = trained(shared, IMAGES, LABELS, steps_per_epoch=2, epochs=1)
    part, _ = trained(shared, IMAGES[:32], LABELS[:32], epochs=1)
    assert log["loss"] == pytest.approx(part["loss"], rel=1e-5)


@pytest.mark.parametrize(
    "options",
    [
        {"steps_per_execution": 3},
        pytest.param({"run_eagerly": True}, marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_steps_per_execution_and_eager_mode_change_nothing(plain, shared, options):
    distiller = make_distiller()
    distiller.compile(keras.optimizers.SGD(0.05), **options)
    assert_same(trained((distiller, shared[1]), IMAGES, LABELS), plain)


def test_train_test_and_predict_on_batch_agree_with_fit(shared, plain, weighted):
    distiller, start = shared
    distiller.set_weights(start)
    batch = (IMAGES, LABELS)
    found = distiller.evaluate(*batch, verbose=0, return_dict=True)
    assert distiller.test_on_batch(*batch, return_dict=True) == pytest.approx(found)
    assert distiller.train_on_batch(*batch, return_dict=True) == pytest.approx(found)
    distiller.set_weights(start)
    one = distiller.train_on_batch(*batch, class_weight=TWICE, return_dict=True)
    distiller.set_weights(start)
    two = distiller.train_on_batch(*batch, sample_weight=WEIGHTS, return_dict=True)
    assert one == pytest.approx(two)
    distiller.set_weights(start)
    for outputs in (
        distiller.predict(IMAGES, verbose=0),
        distiller.predict_on_batch(IMAGES),
    ):
        right = outputs["predictions"].argmax(1) == LABELS
        assert right.mean() == pytest.approx(found["accuracy"])


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="no warning")
def test_a_student_without_trainable_weights_is_named(shared):
    distiller = make_distiller()
    distiller.student.trainable = False
    distiller.compile("sgd")
    with pytest.warns(UserWarning, match="trainable weights"):
        trained((distiller, shared[1]), IMAGES, LABELS)
