"""The average of the weights is the formula, and training does not depend on it."""

import functools

import keras
import numpy as np
import pytest

from keras_cait import Distiller
from keras_cait.training.optimizers.adamw import AdamW
from keras_cait.training.optimizers.build import build_optimizer
from keras_cait.training.optimizers.moving_average import ema_weights
from tests.support.models.distillation_models import (
    make_batch,
    make_teacher,
    weights_of,
)
from tests.support.models.tiny_models import to_numpy
from tests.support.training.short_training import make_student, train

MOMENTUM = 0.7


class Recorder(keras.callbacks.Callback):
    """The weights before the training, and the trained ones after each batch."""

    def on_train_begin(self, logs=None):
        self.weights = [weights_of(self.model.student)]

    def on_train_batch_end(self, batch, logs=None):
        self.weights.append(weights_of(self.model.student))


def optimizer(batches=1, momentum: float | None = MOMENTUM):
    return build_optimizer(
        "sgd", 0.1, accumulation_steps=batches, ema_momentum=momentum
    )


def expected_average(steps):
    average = steps[0]
    for weights in steps[1:]:
        average = {
            path: MOMENTUM * average[path] + (1 - MOMENTUM) * weights[path]
            for path in weights
        }
    return average


def assert_close(found, expected, atol=1e-6):
    assert found.keys() == expected.keys()
    for path, value in found.items():
        np.testing.assert_allclose(value, expected[path], atol=atol, err_msg=path)


@pytest.mark.parametrize(
    ("replicas", "batches", "policy"),
    [
        pytest.param(1, 1, "float32", marks=pytest.mark.slow),
        (1, 2, "float32"),
        pytest.param(2, 1, "float32", marks=pytest.mark.slow),
        (2, 2, "float32"),
        (2, 1, "mixed_float16"),
    ],
)
def test_the_average_is_the_formula(replicas, batches, policy):
    recorder = Recorder()
    make = functools.partial(optimizer, batches)
    distiller = train(make, replicas=replicas, policy=policy, callbacks=[recorder])
    steps = recorder.weights[::batches]
    assert len(steps) == 1 + 4 // batches
    with ema_weights(distiller.optimizer):
        assert_close(weights_of(distiller.student), expected_average(steps))
        if replicas == 2:
            assert_equal_on_replicas(distiller)
    assert_close(weights_of(distiller.student), steps[-1], atol=0)
    if replicas == 2:
        assert_equal_on_replicas(distiller)


def assert_equal_on_replicas(distiller):
    for weight in distiller.student.weights:
        one, two = distiller.distribute_strategy.experimental_local_results(
            weight.value
        )
        np.testing.assert_array_equal(one, two)


@pytest.fixture(scope="module")
def trained():
    return train(optimizer)


def test_an_average_does_not_change_the_training(trained):
    plain = train(functools.partial(optimizer, momentum=None))
    assert_close(weights_of(trained.student), weights_of(plain.student), atol=0)


def test_the_average_is_evaluated_and_saved(trained, tmp_path):
    images, labels = make_batch(16, seed=5)
    before = trained.evaluate(images, labels, verbose=0)
    with ema_weights(trained.optimizer):
        inside = trained.evaluate(images, labels, verbose=0)
        averages = weights_of(trained.student)
        trained.student.save(tmp_path / "average.keras")
    assert trained.evaluate(images, labels, verbose=0) == before
    assert inside[0] != before[0]
    again = keras.saving.load_model(tmp_path / "average.keras")
    found = [to_numpy(w.value) for w in again.weights]
    for one, two in zip(found, averages.values(), strict=True):
        np.testing.assert_array_equal(one, two)
    again = Distiller(again, make_teacher())
    again.compile()
    assert again.evaluate(images, labels, verbose=0) == pytest.approx(inside, rel=1e-5)


def test_the_average_starts_at_weights_loaded_before_the_first_step():
    """As of timm's `ModelEma`, which copies the model that is about to be trained."""
    model = make_student()
    model.compile(build_optimizer("sgd", 0.5, ema_momentum=0.99), "mse")
    model.optimizer.build(model.trainable_variables)
    loaded = [np.full(w.shape, 0.1, "float32") for w in model.weights]
    model.set_weights(loaded)
    images, labels = make_batch(8)
    model.train_on_batch(images, keras.ops.one_hot(labels, 4))
    trained = model.get_weights()
    with ema_weights(model.optimizer):
        found = model.get_weights()
    for start, end, average in zip(loaded, trained, found, strict=True):
        np.testing.assert_allclose(average, 0.99 * start + 0.01 * end, atol=1e-6)


def test_an_error_inside_leaves_the_trained_weights(trained):
    before = weights_of(trained.student)
    with pytest.raises(KeyboardInterrupt), ema_weights(trained.optimizer):
        raise KeyboardInterrupt
    assert_close(weights_of(trained.student), before, atol=0)


def test_training_continues_from_the_trained_weights(tmp_path):
    """Also after it was saved, average and all."""
    distiller = train(optimizer)
    distiller.save(tmp_path / "distiller.keras")
    again = keras.saving.load_model(tmp_path / "distiller.keras")
    images, labels = make_batch(8, seed=6)
    found = []
    for model in (distiller, again):
        model.train_on_batch(images, labels)
        found.append(weights_of(model.student))
        with ema_weights(model.optimizer):
            found.append(weights_of(model.student))
    assert_close(found[0], found[2], atol=1e-7)
    assert_close(found[1], found[3], atol=1e-7)


def test_an_optimizer_without_an_average_is_refused():
    with pytest.raises(ValueError, match="ema_momentum"), ema_weights(AdamW()):
        pass


def test_an_average_of_no_step_is_refused():
    model = Distiller(make_student(), make_teacher())
    model.compile(optimizer())
    with pytest.raises(ValueError, match="taken a step"), ema_weights(model.optimizer):
        pass


def test_overwriting_the_weights_is_refused():
    with pytest.raises(ValueError, match="ema_overwrite_frequency=3"):
        AdamW(use_ema=True, ema_overwrite_frequency=3)
