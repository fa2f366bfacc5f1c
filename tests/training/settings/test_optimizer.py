"""Accumulated batches follow the rates of one large batch."""

import keras
import numpy as np
import pytest

from keras_cait.data.batches import steps_per_epoch
from keras_cait.training.settings.optimizer import optimizer_from
from keras_cait.training.settings.training_settings import TrainingSettings
from tests.support.models.tiny_models import to_numpy

EPOCHS = 4
KINDS = {
    "per epoch": {},
    "per step": {"rate_per_step": True},
    "decay": {"schedule": "decay", "decay_epochs": 1, "decay_rate": 0.5},
}


def made(images, batch_size, accumulation_steps, **options):
    """An optimizer as a run makes it, and the number of batches of an epoch."""
    settings = TrainingSettings(
        batch_size=batch_size,
        accumulation_steps=accumulation_steps,
        epochs=EPOCHS,
        warmup_epochs=1,
        **options,
    )
    steps = steps_per_epoch(images, batch_size, 1, accumulation_steps)
    return optimizer_from(settings, steps), steps


def rates_of(optimizer, batches):
    """The rate after each of these numbers of batches."""
    optimizer.build([keras.Variable(0.0)])
    found = []
    for batch in batches:
        optimizer._iterations.assign(batch)
        found.append(float(optimizer.learning_rate))
    return np.array(found)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("images", [100, 1437, 50_000, 1_281_167])
@pytest.mark.parametrize(
    ("batch_size", "accumulation_steps"), [(8, 4), (3, 7), (1, 64)]
)
def test_equal_images_a_step_have_equal_rates(
    batch_size, accumulation_steps, images, kind
):
    size = batch_size * accumulation_steps
    whole, updates = made(images, size, 1, **KINDS[kind])
    parts, batches = made(images, batch_size, accumulation_steps, **KINDS[kind])
    assert batches == updates * accumulation_steps
    edges = updates * np.arange(1, EPOCHS + 1)
    chosen = np.random.default_rng(0).integers(0, EPOCHS * updates, 6)
    steps = np.concatenate([[0], edges - 1, edges, chosen])
    expected = rates_of(whole, steps)
    assert len(set(expected)) > 2
    for place in (0, accumulation_steps - 1):  # of a batch among those of its step
        found = rates_of(parts, steps * accumulation_steps + place)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_every_step_of_sgd_is_that_of_one_large_batch(kind):
    """Of a slope of 1 a step is as long as the rate; 11 images leave some over."""
    options = {"optimizer": "sgd", "weight_decay": 0.0, **KINDS[kind]}
    places = []
    for batch_size, accumulation_steps in ((4, 1), (2, 2), (1, 4)):
        optimizer, batches = made(11, batch_size, accumulation_steps, **options)
        weight = keras.Variable(0.0)
        taken = []
        for _ in range(EPOCHS * batches):
            optimizer.apply([keras.ops.ones(())], [weight])
            taken.append(float(to_numpy(weight.value)))
        places.append(taken[accumulation_steps - 1 :: accumulation_steps])
    assert len(places[0]) == EPOCHS * 2
    assert len(set(places[0])) == EPOCHS * 2
    np.testing.assert_array_equal(places[1], places[0])
    np.testing.assert_array_equal(places[2], places[0])


def test_adam_and_lamb_correct_by_steps():
    """The bias correction of a step counts steps, not batches, as the rate does."""
    for name in ("adamw", "lamb"):
        found = []
        for batch_size, accumulation_steps in ((6, 1), (2, 3)):
            options = {"optimizer": name, "ema": 0.5}
            optimizer, batches = made(18, batch_size, accumulation_steps, **options)
            weight = keras.Variable(np.ones((2, 2), "float32"), name="kernel")
            for _ in range(EPOCHS * batches):
                optimizer.apply([keras.ops.full((2, 2), 0.1)], [weight])
            average = optimizer._model_variables_moving_average[0]
            found.append([to_numpy(weight.value), to_numpy(average.value)])
        np.testing.assert_allclose(found[1], found[0], rtol=1e-6)
        assert np.all(found[0][0] != 1)


def test_an_epoch_without_a_step_is_refused():
    settings = TrainingSettings(batch_size=8, accumulation_steps=4)
    with pytest.raises(ValueError, match="steps_per_epoch=0"):
        optimizer_from(settings, 3)
