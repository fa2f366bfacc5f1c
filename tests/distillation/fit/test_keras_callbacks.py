"""Keras's callbacks work for a Distiller as for any model."""

import csv

import keras
import numpy as np
import pytest
from keras import callbacks, ops

from keras_cait import Distiller
from tests.support.models.distillation_models import weights_of

SHAPE = (4, 4, 3)
# Two classes with different means: 48 examples to train on, 16 to validate on.
LABELS = np.random.default_rng(0).integers(0, 2, 64)
IMAGES = np.random.default_rng(1).normal(size=(64, *SHAPE)).astype("float32")
IMAGES += LABELS[:, None, None, None]
FALLING = ("loss", "class_loss", "distillation_loss")
RISING = (
    "accuracy",
    "class_accuracy",
    "distillation_accuracy",
    "teacher_agreement",
)


def make_model(seed, heads=("head",)):
    keras.utils.set_random_seed(seed)
    inputs = keras.Input(SHAPE)
    x = keras.layers.Flatten()(inputs)
    logits = [keras.layers.Dense(2, name=name)(x) for name in heads]
    mean = logits[0] if len(logits) == 1 else keras.layers.Average()(logits)
    return keras.Model(inputs, mean)


def make_distiller(optimizer=None):
    student = make_model(1, ("head", "head_distillation"))
    distiller = Distiller(student, make_model(2), "soft")
    distiller.compile(optimizer or keras.optimizers.Adam(1e-2))
    return distiller


@pytest.fixture(scope="module")
def traced():
    distiller = make_distiller(keras.optimizers.SGD(0.01))
    return distiller, distiller.get_weights()


@pytest.fixture
def shared(traced):
    """One new distiller for many tests, traced once."""
    distiller, weights = traced
    distiller.set_weights(weights)
    distiller.optimizer.learning_rate = 0.01
    return distiller


def fit(distiller, *used, epochs=3, images=IMAGES, **options):
    return distiller.fit(
        images,
        LABELS,
        batch_size=16,
        epochs=epochs,
        validation_split=0.25,
        callbacks=list(used),
        verbose=0,
        **options,
    )


def test_callbacks_get_the_direction_of_every_logged_value(shared):
    used = {
        name: callbacks.EarlyStopping(monitor=name, patience=9)
        for plain in FALLING + RISING
        for name in (plain, f"val_{plain}")
    }
    log = fit(shared, *used.values(), epochs=1).history
    assert set(used) == set(log)
    for name, callback in used.items():
        falls = name.removeprefix("val_") in FALLING
        assert callback.monitor_op == (ops.less if falls else ops.greater), name


@pytest.mark.parametrize(
    "monitor",
    ["val_accuracy", pytest.param("val_class_loss", marks=pytest.mark.slow)],
)
def test_model_checkpoint_keeps_the_best_epoch(shared, monitor, tmp_path):
    whole, weights = tmp_path / "best.keras", tmp_path / "best.weights.h5"
    options = {"monitor": monitor, "save_best_only": True}
    log = fit(
        shared,
        callbacks.ModelCheckpoint(whole, **options),
        callbacks.ModelCheckpoint(weights, save_weights_only=True, **options),
        epochs=4,
    ).history
    best = (np.max if monitor == "val_accuracy" else np.min)(log[monitor])
    for distiller in (keras.models.load_model(whole), shared):
        if distiller is shared:
            shared.load_weights(weights)
        found = distiller.evaluate(IMAGES[48:], LABELS[48:], verbose=0, return_dict=1)
        assert found[monitor.removeprefix("val_")] == pytest.approx(best)


def test_early_stopping_restores_the_best_weights(shared):
    stopping = callbacks.EarlyStopping(
        monitor="val_accuracy", min_delta=1.0, patience=2, restore_best_weights=True
    )
    log = fit(shared, stopping, epochs=9).history
    assert len(log["val_loss"]) == 3  # none was better than the first by `min_delta`
    found = shared.evaluate(IMAGES[48:], LABELS[48:], verbose=0, return_dict=True)
    assert found["loss"] == pytest.approx(log["val_loss"][0])


def test_callbacks_set_the_learning_rate(shared):
    plateau = callbacks.ReduceLROnPlateau(
        monitor="val_class_accuracy", factor=0.5, patience=1, min_delta=1.0
    )
    log = fit(shared, plateau).history
    assert log["learning_rate"] == pytest.approx([0.01, 0.01, 0.005])
    schedule = callbacks.LearningRateScheduler(lambda epoch, rate: 0.1**epoch)
    assert fit(shared, schedule).history["learning_rate"] == pytest.approx(
        [1, 0.1, 0.01]
    )


def test_an_interrupted_training_continues(tmp_path):
    class Interrupt(callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise KeyboardInterrupt

    whole, first, second = (make_distiller() for _ in range(3))
    fit(whole, epochs=4, shuffle=False)
    backup = callbacks.BackupAndRestore(tmp_path / "backup")
    with pytest.raises(KeyboardInterrupt):
        fit(first, backup, Interrupt(), epochs=4, shuffle=False)
    backup = callbacks.BackupAndRestore(tmp_path / "backup")
    assert fit(second, backup, epochs=4, shuffle=False).epoch == [2, 3]
    for path, weight in weights_of(whole).items():
        np.testing.assert_allclose(
            weight, weights_of(second)[path], atol=1e-6, err_msg=path
        )


def test_weights_are_averaged_by_a_callback():
    averaged, plain = (
        make_distiller(keras.optimizers.SGD(0.1, use_ema=use_ema))
        for use_ema in (True, False)
    )
    fit(averaged, callbacks.SwapEMAWeights(), shuffle=False)
    fit(plain, shuffle=False)
    averages = averaged.optimizer._model_variables_moving_average
    for average, weight, other in zip(
        averages, averaged.trainable_variables, plain.trainable_variables, strict=True
    ):
        average, weight, other = map(to_numpy, (average, weight, other))
        np.testing.assert_array_equal(weight, average)
        assert np.abs(weight - other).max() > 1e-4


def to_numpy(variable):
    return ops.convert_to_numpy(variable.value)


def test_a_loss_that_is_not_finite_stops_the_training(shared):
    broken = np.full_like(IMAGES, np.nan)
    log = fit(shared, callbacks.TerminateOnNaN(), images=broken).history
    assert len(log["loss"]) == 1


def test_csv_logs_have_every_name(shared, tmp_path):
    seen = []
    used = [
        callbacks.CSVLogger(tmp_path / "log.csv"),
        callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(logs)),
    ]
    if keras.backend.backend() == "tensorflow":
        used.append(callbacks.TensorBoard(tmp_path / "board", histogram_freq=1))
    log = fit(shared, *used).history
    with open(tmp_path / "log.csv") as file:
        rows = list(csv.DictReader(file))
    for name, values in log.items():
        assert [float(row[name]) for row in rows] == pytest.approx(values), name
        assert [logs[name] for logs in seen] == values, name
    if keras.backend.backend() == "tensorflow":
        assert list((tmp_path / "board").rglob("*.v2"))
