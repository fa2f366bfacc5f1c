"""The same training on one replica and on two, on TensorFlow."""

import itertools

import keras
import numpy as np
import pytest

from keras_cait import Distiller
from keras_cait.training.devices.strategy import make_strategy, scope_of
from tests.support.graphs import optimized_graphs
from tests.support.models.distillation_models import (
    make_batch,
    make_student,
    make_teacher,
    weights_of,
)

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="tf.distribute"
)

OPTIMIZERS = {
    "sgd": lambda: keras.optimizers.SGD(0.1, momentum=0.9),
    "clipped": lambda: keras.optimizers.SGD(0.1, global_clipnorm=0.05),
    "adamw": lambda: keras.optimizers.AdamW(1e-2),
}


def train(replicas, distillation, jit_compile, optimizer, examples=40, policy=None):
    """Five steps of eight examples; returns the weights and both logs."""
    import tensorflow as tf

    strategy = make_strategy(f"mirrored:{replicas}" if replicas > 1 else "single")
    images, labels = make_batch(examples)
    weight = np.random.default_rng(3).uniform(size=examples).astype("float32")
    data = tf.data.Dataset.from_tensor_slices((images, labels, weight)).batch(8)
    before = keras.config.dtype_policy()
    with scope_of(strategy):
        keras.config.set_dtype_policy(policy or before)
        student = make_student()
        keras.config.set_dtype_policy(before)
        distiller = Distiller(student, make_teacher(), distillation)
        distiller.compile(OPTIMIZERS[optimizer](), jit_compile=jit_compile)
    log = distiller.fit(data, shuffle=False, verbose=0).history
    measured = {}
    if optimizer == "sgd" and policy is None:  # evaluation does not depend on them
        measured = distiller.evaluate(data, verbose=0, return_dict=True)
    return weights_of(student), {k: v[0] for k, v in log.items()}, measured


def assert_same(one, two, atol=1e-6, ignore_key_bias=False):
    for path, value in one[0].items():
        difference = np.abs(value - two[0][path])
        if ignore_key_bias and path.endswith("qkv/bias"):
            # A key's bias shifts all scores of a query alike: its gradient is
            # zero but for rounding, which AdamW scales to a whole step.
            difference = np.delete(difference, np.s_[8:16])
        assert difference.max() <= atol, path
    for log, other in zip(one[1:], two[1:], strict=True):
        assert log == pytest.approx(other, rel=1e-5, abs=1e-6)


# The tests of the last batch run the other kind of loss and optimizer, without XLA.
ALWAYS = (("hard", True, "adamw"),)


def _cases():
    for case in itertools.product(["hard", "soft"], [False, True], ["sgd", "adamw"]):
        yield pytest.param(*case, marks=() if case in ALWAYS else pytest.mark.slow)


@pytest.mark.parametrize(("distillation", "jit_compile", "optimizer"), list(_cases()))
def test_one_and_two_replicas_agree(distillation, jit_compile, optimizer):
    one, two = (train(n, distillation, jit_compile, optimizer) for n in (1, 2))
    assert_same(one, two, ignore_key_bias=optimizer == "adamw")


@pytest.mark.parametrize("examples", [33, pytest.param(37, marks=pytest.mark.slow)])
def test_an_uneven_last_batch_trains_alike(examples):
    """With 33 the last batch has one example, and one replica has none."""
    with optimized_graphs():  # TensorFlow's own Conv2D of no images has a wrong shape
        one, two = (train(n, "soft", False, "sgd", examples) for n in (1, 2))
    assert_same(one, two)


@pytest.mark.slow  # one more optimizer
def test_clipping_uses_the_gradients_of_all_replicas():
    one, two = (train(n, "hard", False, "clipped") for n in (1, 2))
    assert_same(one, two)


@pytest.mark.parametrize(
    "policy",
    ["mixed_float16", pytest.param("mixed_bfloat16", marks=pytest.mark.slow)],
)
def test_mixed_precision_on_two_replicas(policy):
    """Equal up to the order of sums in half precision."""
    one, two = (train(n, "hard", False, "sgd", policy=policy) for n in (1, 2))
    for path, value in one[0].items():
        np.testing.assert_allclose(value, two[0][path], atol=2e-3, err_msg=path)
    assert one[1] == pytest.approx(two[1], rel=2e-3)


def test_an_overflow_on_the_second_replica_skips_the_step_on_both():
    import tensorflow as tf

    keras.config.set_dtype_policy("mixed_float16")
    try:
        with scope_of(make_strategy("mirrored:2")):
            student = make_student()
            distiller = Distiller(student, make_teacher())
            distiller.compile(keras.optimizers.SGD(0.1))
    finally:
        keras.config.set_dtype_policy("float32")
    images, labels = make_batch(8)
    weight = np.array([1, 1, 1, 1, 1, 1, 1, np.inf], "float32")
    before = weights_of(student)
    data = tf.data.Dataset.from_tensors((images, labels, weight))
    distiller.fit(data, shuffle=False, verbose=0)
    for path, value in weights_of(student).items():
        np.testing.assert_array_equal(value, before[path])
