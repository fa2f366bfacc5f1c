"""Optimizers by name have the papers' settings, also after they are reloaded."""

import keras
import numpy as np
import pytest

from keras_cait.training.optimizers.build import build_optimizer
from tests.support.models.tiny_models import to_numpy


def test_the_norm_of_all_gradients_together_is_clipped():
    optimizer = build_optimizer("sgd", 1.0, weight_decay=0.0, clip_norm=0.5)
    weights = [keras.Variable(np.zeros(2)), keras.Variable(np.zeros(3))]
    gradients = [np.array([3.0, 0.0]), np.array([0.0, 4.0, 0.0])]
    optimizer.apply([keras.ops.cast(g, "float32") for g in gradients], weights)
    for weight, gradient in zip(weights, gradients, strict=True):
        # A tenth of the gradient; the first step of Nesterov's momentum takes 1.9.
        expected = -0.19 * gradient
        np.testing.assert_allclose(to_numpy(weight.value), expected, rtol=1e-6)


@pytest.mark.parametrize("name", ["adamw", "lamb", "sgd"])
def test_a_reloaded_optimizer_takes_the_same_steps(name, tmp_path):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, name="kept")])
    optimizer = build_optimizer(
        name, 0.1, weight_decay=0.5, ema_momentum=0.9, decay_distillation_token=False
    )
    model.compile(optimizer, "mse")
    x, y = np.ones((8, 4)), np.ones((8, 2))
    model.fit(x, y, batch_size=4, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.optimizer.get_config() == optimizer.get_config()
    for trained in (model, again):
        trained.fit(x, y, batch_size=4, verbose=0)
    for one, two in zip(model.weights, again.weights, strict=True):
        np.testing.assert_array_equal(to_numpy(one.value), to_numpy(two.value))
    pairs = zip(optimizer.variables, again.optimizer.variables, strict=True)
    for one, two in pairs:
        np.testing.assert_array_equal(to_numpy(one.value), to_numpy(two.value))


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"name": "adam"}, "'adam'"),
        ({"clip_norm": 0.0}, "clip_norm=0.0"),
        ({"accumulation_steps": 0}, "accumulation_steps=0"),
        ({"ema_momentum": 1.0}, "ema_momentum=1.0"),
    ],
)
def test_arguments_out_of_range_are_refused(wrong, named):
    with pytest.raises(ValueError, match=named):
        build_optimizer(**{"name": "adamw", "learning_rate": 0.1, **wrong})
