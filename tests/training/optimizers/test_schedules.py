"""The rate of every epoch and step is the one of the official run."""

import json

import keras
import numpy as np
import pytest

from keras_cait.training.optimizers.schedules import (
    EpochRates,
    WarmupCosine,
    official_schedule,
    step_decay,
)
from tests.support import reference

STEPS = 4  # an epoch


@pytest.fixture(scope="module")
def official():
    return json.loads((reference.FOLDER / "schedule.json").read_text())


def test_epochs_have_the_official_rates(official):
    settings = official["settings"]
    schedule = official_schedule(
        settings["lr"],
        settings["epochs"],
        steps_per_epoch=STEPS,
        warmup_epochs=settings["warmup_epochs"],
        warmup_rate=settings["warmup_lr"],
        final_rate=settings["min_lr"],
    )
    rates = [float(schedule(step)) for step in range(300 * STEPS)]
    expected = np.repeat(official["lr_at_epoch"], STEPS)
    np.testing.assert_allclose(rates, expected, rtol=0, atol=1e-9)


def test_an_optimizer_takes_these_rates(official):
    """Of a slope of 1 each step of descent is as long as the rate."""
    schedule = official_schedule(steps_per_epoch=STEPS)
    optimizer = keras.optimizers.SGD(schedule)
    weight = keras.Variable(0.0)
    taken = []
    for _ in range(8 * STEPS):
        weight.assign(0.0)
        optimizer.apply([keras.ops.ones(())], [weight])
        taken.append(-float(keras.ops.convert_to_numpy(weight.value)))
    expected = np.repeat(official["lr_at_epoch"][:8], STEPS)
    np.testing.assert_allclose(taken, expected, rtol=0, atol=1e-9)


def test_per_step_each_step_has_its_own_rate():
    """In double precision, by hand; 1251 steps are an epoch of ImageNet."""
    schedule = official_schedule(2e-3, 300, steps_per_epoch=1251, per_step=True)
    steps = np.array([0, 1, 3000, 6254, 6255, 6256, 100_000, 375_299, 375_300, 10**6])
    epochs = steps / 1251
    rising = 1e-6 + (2e-3 - 1e-6) * epochs / 5
    cosine = np.cos(np.pi * np.minimum(1, epochs / 300))
    expected = np.where(epochs < 5, rising, 1e-5 + (2e-3 - 1e-5) * (1 + cosine) / 2)
    rates = [float(schedule(int(step))) for step in steps]
    np.testing.assert_allclose(rates, expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("per_step", [False, True])
def test_after_the_last_epoch_the_rate_is_constant(per_step):
    schedule = official_schedule(
        1.0, 3, steps_per_epoch=2, warmup_epochs=1, per_step=per_step
    )
    rates = [float(schedule(step)) for step in (8, 9, 10**9)]
    assert rates == pytest.approx([1e-5] * 3)


@pytest.mark.parametrize("per_step", [False, True])
def test_without_warm_up_the_rate_starts_at_its_peak(per_step):
    schedule = official_schedule(
        1.0, 10, steps_per_epoch=1, warmup_epochs=0, per_step=per_step
    )
    rates = [float(schedule(step)) for step in range(10)]
    epochs = np.arange(10) if per_step else np.maximum(0, np.arange(10) - 1)
    expected = 1e-5 + (1 - 1e-5) * (1 + np.cos(np.pi * epochs / 10)) / 2
    np.testing.assert_allclose(rates, expected, atol=1e-6)


def test_step_decay_falls_behind_a_warm_up():
    schedule = step_decay(
        8.0,
        8,
        steps_per_epoch=2,
        decay_epochs=3,
        decay_rate=0.5,
        warmup_epochs=2,
        warmup_rate=0.0,
    )
    rates = [float(schedule(step)) for step in range(0, 16, 2)]
    assert rates == [0, 0, 4, 8, 4, 4, 4, 2]


SCHEDULES = {
    "per epoch": official_schedule(steps_per_epoch=3),
    "per step": official_schedule(4e-3, 20, steps_per_epoch=3, per_step=True),
    "decay": step_decay(1.0, 9, steps_per_epoch=3, decay_epochs=2, decay_rate=0.5),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_reloaded_model_continues_its_schedule(name, tmp_path):
    schedule = SCHEDULES[name]
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(schedule), "mse")
    model.fit(np.ones((8, 2)), np.ones((8, 1)), batch_size=1, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras").optimizer
    assert type(again._learning_rate) is type(schedule)
    assert again._learning_rate.get_config() == schedule.get_config()
    assert float(again.learning_rate) == float(schedule(8))


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: WarmupCosine(-1.0, 3, steps_per_epoch=1), "peak=-1.0"),
        (lambda: WarmupCosine(1.0, 0, steps_per_epoch=1), "epochs=0"),
        (lambda: official_schedule(steps_per_epoch=0), "steps_per_epoch=0"),
        (
            lambda: official_schedule(steps_per_epoch=1, warmup_epochs=-1),
            "warmup_epochs=-1",
        ),
        (
            lambda: official_schedule(steps_per_epoch=1, final_rate=float("nan")),
            "final_rate=nan",
        ),
        (lambda: EpochRates([], 1), "rates="),
        (
            lambda: step_decay(
                1.0, 9, steps_per_epoch=1, decay_epochs=2, decay_rate=1.5
            ),
            "decay_rate=1.5",
        ),
    ],
)
def test_numbers_out_of_range_are_refused(make, named):
    with pytest.raises(ValueError, match=named):
        make()
