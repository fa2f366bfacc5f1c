"""The optimizers take the papers' steps, and spare what the official code spares."""

import functools

import keras
import numpy as np
import pytest

from keras_cait.training.optimizers.paper_optimizers import (
    SGD,
    AdamW,
    Lamb,
    build_optimizer,
)
from keras_cait.weights.timm.names import timm_parameters
from tests.support import reference
from tests.support.models import tiny_models as samples
from tests.support.models.tiny_models import to_numpy

MODELS = {
    "deit": lambda: samples.tiny_deit(depth=1),
    "distilled": lambda: samples.tiny_deit(depth=1, distilled=True),
    "deit3": lambda: samples.tiny_deit3(depth=1),
    "cait": lambda: samples.tiny_cait(depth=1),
    "distilled cait": lambda: samples.tiny_cait(depth=1, distilled=True),
    "regnety": samples.tiny_regnety,
}


@functools.cache
def model_of(name):
    return samples.randomize(MODELS[name]())


def decayed_by(optimizer, model):
    """timm's names of what a step makes smaller where all gradients are 0."""
    variables = model.trainable_variables
    before = {v.path: to_numpy(v.value) for v in variables}
    optimizer.apply([keras.ops.zeros(v.shape) for v in variables], variables)
    after = {v.path: to_numpy(v.value) for v in variables}
    for variable in variables:
        variable.assign(before[variable.path])
    for path, value in after.items():
        assert (np.abs(value) <= np.abs(before[path])).all(), path
    return {
        name
        for name, parameter in named(model).items()
        if (after[parameter.variable.path] != before[parameter.variable.path]).any()
    }


def named(model):
    return {
        name: parameter
        for name, parameter in timm_parameters(model).items()
        if getattr(getattr(parameter, "variable", None), "trainable", False)
    }


def decayed_officially(model):
    """The rule of the official code, on the names and shapes that it sees."""
    return {
        name
        for name, parameter in named(model).items()
        if len(parameter.variable.shape) > 1
        and not name.endswith(".bias")
        and name not in ("pos_embed", "cls_token")
    }


@pytest.mark.parametrize("family", MODELS)
def test_every_family_decays_as_officially(family):
    model = model_of(family)
    expected = decayed_officially(model)
    assert decayed_by(build_optimizer("adamw", 0.1), model) == expected
    assert any(name.endswith(".weight") for name in expected)
    assert len(expected) < len(named(model))


@pytest.mark.parametrize("name", ["adamw", "lamb", "sgd"])
@pytest.mark.parametrize("family", ["distilled", "distilled cait"])
def test_the_distillation_token_decays_by_choice(name, family):
    model = model_of(family)
    expected = decayed_officially(model)
    (token,) = (n for n in expected if n.startswith("dist"))
    assert decayed_by(build_optimizer(name, 0.1), model) == expected
    spared = build_optimizer(name, 0.1, decay_distillation_token=False)
    assert decayed_by(spared, model) == expected - {token}


def test_scalars_and_what_else_is_excluded_do_not_decay():
    optimizer = AdamW(0.1, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_names=["mine"])
    shapes = {"gamma": (), "kernel": (2, 2), "mine": (2, 2), "proj_bias": (2, 2)}
    weights = [keras.Variable(np.ones(s), name=n) for n, s in shapes.items()]
    optimizer.apply([keras.ops.zeros(w.shape) for w in weights], weights)
    left = {w.name: float(to_numpy(w.value).max()) for w in weights}
    assert left == pytest.approx(
        {"gamma": 1, "kernel": 0.95, "mine": 1, "proj_bias": 1}
    )


def steps_of(optimizer, starts, steps=4):
    """Where so many steps lead, and the gradients that they followed."""
    rng = np.random.default_rng(0)
    gradients = [
        [rng.normal(size=np.shape(w)).astype("float32") for w in starts.values()]
        for _ in range(steps)
    ]
    weights = [keras.Variable(value, name=name) for name, value in starts.items()]
    for step in gradients:
        optimizer.apply([keras.ops.convert_to_tensor(g) for g in step], weights)
    return {w.name: to_numpy(w.value) for w in weights}, gradients


def starts():
    rng = np.random.default_rng(1)
    return {
        "kernel": rng.normal(size=(3, 4)).astype("float32"),
        "zero_kernel": np.zeros((2, 2), "float32"),
        "gamma": rng.normal(size=5).astype("float32"),
    }


def test_adamw_equals_torch_at_small_gradients():
    """Gradients near and below epsilon, five scales; torch in double precision."""
    numbers = reference.numbers("adamw_small_gradients")
    optimizer = build_optimizer("adamw", 1e-3, weight_decay=0.05)
    scales = range(len(numbers["scales"]))
    weights = [keras.Variable(np.zeros((1, 8)), name=f"kernel_{i}") for i in scales]
    found = []
    for step, gradients in enumerate(numbers["gradients"], start=1):
        tensors = [keras.ops.convert_to_tensor(row[None]) for row in gradients]
        optimizer.apply(tensors, weights)
        if step in numbers["steps"]:
            found.append(np.concatenate([to_numpy(w.value) for w in weights]))
    # The error of a weight, as a part of the longest way that one of its scale went.
    ways = np.abs(numbers["weights"]).max(axis=-1, keepdims=True)
    np.testing.assert_allclose(found / ways, numbers["weights"] / ways, atol=1e-6)


def adam_in_double(starts, gradients, rate, *, decayed=(), decay=0.0, largest=False):
    """torch's AdamW: where the gradients of each step lead from the starts."""
    ways = {}
    for name, start in starts.items():
        w, m, v, top = start.astype("float64"), 0.0, 0.0, 0.0
        for t, step in enumerate(gradients, start=1):
            g = step[name].astype("float64")
            w = w * (1 - rate * decay * (name in decayed))
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
            top = np.maximum(top, v) if largest else v
            spread = np.sqrt(top) / np.sqrt(1 - 0.999**t)
            w = w - rate / (1 - 0.9**t) * m / (spread + 1e-8)
        ways[name] = w
    return ways


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="takes a tape")
def test_a_cait_with_small_gains_trains_as_in_torch():
    """LayerScale from 1e-5, which makes the gradients of a block's weights tiny."""
    import tensorflow as tf

    keras.utils.set_random_seed(0)
    model = samples.tiny_cait(depth=1, init_values=1e-5, classifier_activation=None)
    variables = model.trainable_variables
    images, labels = samples.images(8, 32, 32, 3), np.arange(8)

    optimizer = build_optimizer("adamw", 1e-3, weight_decay=0.05)
    optimizer.build(variables)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            logits = model(images, training=True)
            loss = keras.losses.sparse_categorical_crossentropy(labels, logits, True)
            loss = tf.reduce_mean(loss)
        gradients = tape.gradient(loss, [v.value for v in variables])
        optimizer.apply(gradients, variables)
        return gradients

    names = [v.path for v in variables]
    starts = {v.path: to_numpy(v.value) for v in variables}
    taken = [dict(zip(names, map(to_numpy, step()), strict=True)) for _ in range(100)]
    within = [np.abs(taken[0][n]).ravel() for n in names if "block" in n]
    assert np.median(np.concatenate(within)) < 1e-7
    spared = ("bias", "position_embedding", "class_token")
    decayed = {
        v.path
        for v in variables
        if len(v.shape) > 1 and not any(part in v.name for part in spared)
    }
    expected = adam_in_double(starts, taken, 1e-3, decayed=decayed, decay=0.05)
    for variable in variables:
        found, path = to_numpy(variable.value), variable.path
        np.testing.assert_allclose(found, expected[path], atol=1e-6, err_msg=path)


def test_amsgrad_is_torchs_formula():
    names = list(starts())
    found, gradients = steps_of(AdamW(0.01, weight_decay=0.0, amsgrad=True), starts())
    named = [dict(zip(names, step, strict=True)) for step in gradients]
    expected = adam_in_double(starts(), named, 0.01, largest=True)
    for name in names:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-5, atol=1e-6)


def test_lamb_is_the_papers_formula():
    """In double precision; vectors neither decay nor have their step stretched."""
    found, gradients = steps_of(Lamb(0.01, weight_decay=0.3), starts())
    for index, (name, start) in enumerate(starts().items()):
        w, m, v = start.astype("float64"), 0.0, 0.0
        for t, step in enumerate(gradients, start=1):
            g = step[index].astype("float64")
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
            u = m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
            if name != "gamma":
                u += 0.3 * w
                if np.any(w):
                    u *= np.linalg.norm(w) / np.linalg.norm(u)
            w = w - 0.01 * u
        np.testing.assert_allclose(found[name], w, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("nesterov", [True, False])
def test_sgd_is_torchs_formula(nesterov):
    optimizer = SGD(0.1, weight_decay=0.2, momentum=0.9, nesterov=nesterov)
    found, gradients = steps_of(optimizer, starts())
    for index, (name, start) in enumerate(starts().items()):
        w, velocity = start.astype("float64"), 0.0
        for step in gradients:
            g = step[index] + (0.0 if name == "gamma" else 0.2) * w
            velocity = 0.9 * velocity + g
            w = w - 0.1 * (g + 0.9 * velocity if nesterov else velocity)
        np.testing.assert_allclose(found[name], w, rtol=1e-5, atol=1e-6)


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
def test_a_reloaded_optimizer_goes_on_as_before(name, tmp_path):
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


def test_names_survive_saving():
    optimizer = AdamW(0.1, undecayed=("bias",))
    config = keras.saving.serialize_keras_object(optimizer)
    again = keras.saving.deserialize_keras_object(config)
    assert again.undecayed == ("bias",)
    assert again.epsilon == 1e-8


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"name": "adam"}, "'adam'"),
        ({"clip_norm": 0.0}, "clip_norm=0.0"),
        ({"accumulation_steps": 0}, "accumulation_steps=0"),
        ({"ema_momentum": 1.0}, "ema_momentum=1.0"),
    ],
)
def test_what_cannot_be_is_refused(wrong, named):
    with pytest.raises(ValueError, match=named):
        build_optimizer(**{"name": "adamw", "learning_rate": 0.1, **wrong})
