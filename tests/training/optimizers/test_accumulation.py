"""Steps of several small batches are those of one large batch."""

import functools
import itertools
from typing import Any

import keras
import numpy as np
import pytest

from keras_cait.training.optimizers.build import build_optimizer
from keras_cait.training.optimizers.schedules import EpochRates
from keras_cait.training.optimizers.sgd import SGD
from tests.support.models.distillation_models import weights_of
from tests.support.models.tiny_models import to_numpy
from tests.support.training.short_training import train

SETTINGS: dict[str, Any] = {
    "sgd": {"clip_norm": 0.05},
    "adamw": {"ema_momentum": 0.5},
    "lamb": {},
}


def optimizer(name, batches):
    return build_optimizer(name, 0.01, accumulation_steps=batches, **SETTINGS[name])


@functools.cache
def of_large_batches(name, policy):
    make = functools.partial(optimizer, name, 1)
    return results(train(make, batch_size=16, policy=policy))


def results(distiller):
    """Weights, and their averages where the optimizer keeps them."""
    found = weights_of(distiller.student)
    inner = getattr(distiller.optimizer, "inner_optimizer", distiller.optimizer)
    if inner.use_ema:
        names = (v.path for v in distiller.trainable_variables)
        averages = map(to_numpy, inner._model_variables_moving_average)
        found |= {f"average of {n}": a for n, a in zip(names, averages, strict=True)}
    return found


@pytest.mark.parametrize(
    ("name", "replicas", "policy", "atol"),
    [
        ("sgd", 1, "float32", 1e-6),
        ("adamw", 2, "float32", 1e-6),
        ("lamb", 1, "float32", 1e-6),
        *(
            pytest.param(*case, "float32", 1e-6, marks=pytest.mark.slow)
            for case in (("sgd", 2), ("adamw", 1), ("lamb", 2))
        ),
        ("sgd", 2, "mixed_float16", 2e-4),  # as exact as sums of halves are
    ],
)
def test_two_batches_to_a_step_equal_one_twice_as_large(name, replicas, policy, atol):
    make = functools.partial(optimizer, name, 2)
    found = results(train(make, replicas=replicas, policy=policy))
    expected = of_large_batches(name, policy)
    assert found.keys() == expected.keys()
    for path, value in found.items():
        np.testing.assert_allclose(value, expected[path], atol=atol, err_msg=path)


def test_weights_do_not_change_between_steps():
    seen = []

    def remember(batch, logs):
        seen.append(to_numpy(recorder.model.trainable_variables[0].value))

    recorder = keras.callbacks.LambdaCallback(on_train_batch_end=remember)
    train(functools.partial(optimizer, "sgd", 2), callbacks=[recorder])
    moved = [bool((a != b).any()) for a, b in itertools.pairwise(seen)]
    assert moved == [True, False, True]


def test_a_schedule_gets_the_number_of_steps():
    """Two batches make a step: the third and fourth one take the second rate."""
    schedule = EpochRates([1.0, 2.0, 4.0, 8.0], steps_per_epoch=1)
    weight = keras.Variable(0.0)
    accumulating = SGD(schedule, momentum=0.0, gradient_accumulation_steps=2)
    places = []
    for _ in range(4):
        accumulating.apply([keras.ops.ones(())], [weight])
        places.append(-float(to_numpy(weight.value)))
    assert places == pytest.approx([0, 1, 1, 3])
