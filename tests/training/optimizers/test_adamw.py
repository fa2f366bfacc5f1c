"""AdamW takes torch's steps."""

import keras
import numpy as np
import pytest

from keras_cait.training.optimizers.adamw import AdamW
from tests.support import reference
from tests.support.models import tiny_models as samples
from tests.support.models.tiny_models import to_numpy
from tests.support.training.optimizer_steps import starts, steps_of


def test_adamw_equals_torch_at_small_gradients():
    """Gradients near and below epsilon, five scales; torch in double precision."""
    numbers = reference.numbers("adamw_small_gradients")
    optimizer = AdamW(1e-3, weight_decay=0.05)
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
def test_a_cait_with_small_gains_equals_torch():
    """LayerScale from 1e-5, which makes the gradients of a block's weights tiny."""
    import tensorflow as tf

    keras.utils.set_random_seed(0)
    model = samples.tiny_cait(depth=1, init_values=1e-5, classifier_activation=None)
    variables = model.trainable_variables
    images, labels = samples.images(8, 32, 32, 3), np.arange(8)

    optimizer = AdamW(1e-3, weight_decay=0.05)
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


def test_undecayed_names_survive_serialization():
    optimizer = AdamW(0.1, undecayed=("bias",))
    config = keras.saving.serialize_keras_object(optimizer)
    again = keras.saving.deserialize_keras_object(config)
    assert again.undecayed == ("bias",)
    assert again.epsilon == 1e-8
