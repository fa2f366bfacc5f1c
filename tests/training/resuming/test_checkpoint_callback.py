"""A training that is stopped and resumed ends with the bits of one that is not."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_cait.data.batches import training_batches
from keras_cait.data.mixing import Mixing
from keras_cait.data.sources.load import load_dataset
from keras_cait.distillation import Distiller
from keras_cait.training.devices.strategy import make_strategy, scope_of
from keras_cait.training.fit import fit_remaining_epochs
from keras_cait.training.optimizers.build import build_optimizer
from keras_cait.training.resuming.checkpoint_callback import CheckpointCallback
from keras_cait.training.resuming.checkpoints import CheckpointFolder
from keras_cait.training.resuming.training_state import values_of
from tests.support.models.tiny_models import tiny_deit

STEPS, EPOCHS = 4, 3


class StopAt(keras.callbacks.Callback):
    """Ends a training as a power cut does, after so many steps."""

    def __init__(self, step):
        super().__init__()
        self.left = step

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if not self.left:
            raise InterruptedError


def make(folder, *, rate=1e-3, **options):
    """A distiller with stochastic depth, an average and a hard teacher, and what keeps
    it."""
    keras.utils.set_random_seed(0)
    sizes = {"input_shape": (8, 8, 1), "patch_size": 4, "depth": 1}
    student = tiny_deit(**sizes, drop_path_rate=0.5, distilled=True)
    teacher = tiny_deit(**sizes)
    distiller = Distiller(student, teacher, "hard", 0.5)
    optimizer = build_optimizer(
        "adamw", rate, ema_momentum=0.9, clip_norm=1.0, **options
    )
    distiller.compile(optimizer, jit_compile=False)
    distiller.optimizer.build(distiller.trainable_variables)
    return distiller, CheckpointCallback(
        distiller,
        CheckpointFolder(folder),
        steps_per_epoch=STEPS,
        every=3,
        name="student",
    )


def fit(distiller, checkpoints, *callbacks):
    data = load_dataset("digits", limit=32)

    def batches(first_step):
        return training_batches(
            data.train,
            [lambda image, seed: tf.cast(image, "float32")],
            8,
            epochs=EPOCHS,
            seed=1,
            mixing=Mixing(mixup_alpha=0.8, cutmix_alpha=1.0, label_smoothing=0.1),
            classes=10,
            first_step=first_step,
        )

    test = batches(0).take(2)
    fit_remaining_epochs(
        distiller,
        checkpoints,
        batches,
        epochs=EPOCHS,
        test_batches=test,
        callbacks=callbacks,
    )
    return values_of(distiller, "model", "optimizer"), checkpoints.rows


def scope_with(replicas):
    # A second strategy for the same devices would confuse TensorFlow's collectives.
    return scope_of(make_strategy("mirrored:2" if replicas == 2 else "single"))


# tests/faults has one that `make test` runs.
@pytest.mark.slow
@pytest.mark.parametrize(
    ("stop", "replicas", "options"),
    [
        (2, 1, {}),  # before there is a checkpoint
        (6, 1, {}),
        (7, 1, {"accumulation_steps": 2}),  # one step after a checkpoint
        (9, 1, {}),  # one after the end of an epoch
        (7, 2, {}),
    ],
)
def test_a_resumed_training_ends_with_the_same_bits(stop, replicas, options, tmp_path):
    with scope_with(replicas):
        expected, rows = fit(*make(tmp_path / "whole", **options))
        with pytest.raises(InterruptedError):
            fit(*make(tmp_path / "cut", **options), StopAt(stop))
        distiller, checkpoints = make(tmp_path / "cut", **options)
        checkpoints.restore()
        assert checkpoints.step == max(
            step for step in (0, 3, 4, 6, 8, 9) if step < stop
        )
        found, logs = fit(distiller, checkpoints)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)
    if replicas == 1:
        assert logs == rows
    # Each of two replicas gets half of the running sums back, not its own.
    for log, row in zip(logs, rows, strict=True):
        for name in row.keys() - {"model"}:
            assert log[name] == pytest.approx(row[name], rel=1e-6)


def test_a_finished_training_restores_its_model(tmp_path):
    distiller, checkpoints = make(tmp_path)
    expected, rows = fit(distiller, checkpoints)
    checkpoints.finish({"averaged": 0.5})
    (path,) = tmp_path.iterdir()
    distiller, checkpoints = make(tmp_path)
    checkpoints.restore()
    assert (checkpoints.is_done, checkpoints.rows, checkpoints.results) == (
        True,
        rows,
        {"averaged": 0.5},
    )
    for name, value in values_of(distiller, "model").items():
        np.testing.assert_array_equal(value, expected[name])
    assert path.is_file()


def test_a_loss_that_is_not_finite_raises_and_is_not_saved(tmp_path):
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([4], [1e-3, 1e30])
    with pytest.raises(FloatingPointError, match=r"step 7, .*batch 3 of epoch 2"):
        fit(*make(tmp_path, rate=schedule))
    distiller, checkpoints = make(tmp_path, rate=schedule)
    checkpoints.restore()
    assert checkpoints.step == 4
    assert all(
        np.isfinite(value).all() for value in values_of(distiller, "model").values()
    )


def test_a_checkpoint_of_another_model_is_refused(tmp_path):
    distiller, checkpoints = make(tmp_path)
    with pytest.raises(InterruptedError):
        fit(distiller, checkpoints, StopAt(5))
    other = tiny_deit(input_shape=(8, 8, 1), patch_size=4, depth=2)
    distiller = Distiller(other, distillation="none")
    distiller.compile(build_optimizer("sgd", 0.1))
    distiller.optimizer.build(distiller.trainable_variables)
    checkpoints = CheckpointCallback(
        distiller,
        CheckpointFolder(tmp_path),
        steps_per_epoch=4,
        every=3,
        name="student",
    )
    with pytest.raises(ValueError, match=r"same model and optimizer.*differs in"):
        checkpoints.restore()
