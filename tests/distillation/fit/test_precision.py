"""Mixed precision: the student computes in half, the teacher and losses in full."""

import keras
import numpy as np
import pytest

from keras_cait import Distiller
from tests.support.models.distillation_models import (
    CLASSES,
    SHAPE,
    make_batch,
    make_student,
    make_teacher,
    one_step,
)


def under(policy, make, **options):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        return make(**options)
    finally:
        keras.config.set_dtype_policy(before)


def mixed_student(policy, **options):
    return under(policy, make_student, **options)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("distillation", ["hard", "soft"])
def test_losses_are_those_of_float32(policy, distillation):
    batch = make_batch(32)
    logs = []
    for student in (mixed_student(policy), make_student()):
        teacher = make_teacher()
        distiller = Distiller(student, teacher, distillation)
        distiller.compile(keras.optimizers.SGD(0.1))
        assert teacher.compute_dtype == "float32"
        logs.append(one_step(distiller, *batch))
    for name in ("loss", "class_loss", "distillation_loss"):
        assert logs[0][name] == pytest.approx(logs[1][name], rel=0.01), name


def test_float16_scales_its_loss_and_bfloat16_does_not():
    kinds = {}
    for policy in ("mixed_float16", "mixed_bfloat16"):
        distiller = Distiller(mixed_student(policy), make_teacher())
        distiller.compile("sgd")
        kinds[policy] = is_scaled(distiller)
    assert kinds == {"mixed_float16": True, "mixed_bfloat16": False}


def test_a_loaded_student_has_its_loss_scaled(tmp_path):
    """Keras gives the model the global policy, and its layers their own."""
    mixed_student("mixed_float16").save(tmp_path / "student.keras")
    student = keras.models.load_model(tmp_path / "student.keras")
    assert student.dtype_policy.name == "float32"
    distiller = Distiller(student, make_teacher())
    distiller.compile("sgd")
    assert is_scaled(distiller)
    distiller.save(tmp_path / "distiller.keras")
    again = keras.models.load_model(tmp_path / "distiller.keras")
    assert is_scaled(again)
    assert np.isfinite(one_step(again, *make_batch())["loss"])


def test_the_loss_of_a_policy_by_layer_is_scaled():
    policies = keras.dtype_policies.DTypePolicyMap(default_policy="float32")
    policies["head"] = keras.DTypePolicy("mixed_float16")
    inputs = keras.Input(SHAPE)
    x = keras.layers.GlobalAveragePooling2D()(inputs)
    x = keras.layers.Dense(CLASSES, dtype=policies["head"])(x)
    distiller = Distiller(keras.Model(inputs, x), distillation="none")
    distiller.compile("sgd")
    assert is_scaled(distiller)


def is_scaled(distiller):
    return isinstance(distiller.optimizer, keras.optimizers.LossScaleOptimizer)


@pytest.mark.parametrize(
    "policy", ["mixed_float16", pytest.param("mixed_bfloat16", marks=pytest.mark.slow)]
)
def test_half_precision_trains_with_stochastic_depth(policy):
    student = mixed_student(policy, drop_path_rate=0.5, depth=2)
    distiller = Distiller(student, make_teacher())
    distiller.compile(keras.optimizers.AdamW(1e-2))
    images, labels = make_batch(32)
    losses = [one_step(distiller, images, labels)["loss"] for _ in range(20)]
    assert np.all(np.isfinite(losses))
    assert losses[-1] < losses[0]


def test_an_overflow_skips_the_step_and_lowers_the_scale():
    distiller = Distiller(mixed_student("mixed_float16"), make_teacher())
    optimizer = keras.optimizers.LossScaleOptimizer(
        keras.optimizers.SGD(0.1), initial_scale=2.0**60
    )
    distiller.compile(optimizer)
    before = distiller.student.get_weights()
    log = one_step(distiller, *make_batch())
    assert np.isfinite(log["loss"])
    for one, other in zip(before, distiller.student.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert float(distiller.optimizer.dynamic_scale) == 2.0**59


def test_images_reach_the_student_in_full_precision():
    seen = []

    class Look(keras.layers.Layer):
        def call(self, inputs):
            seen.append(inputs.dtype)
            return inputs

    student = mixed_student("mixed_bfloat16", distilled=False)
    inputs = keras.Input(SHAPE)
    looked = keras.Model(inputs, student(Look(dtype="float32")(inputs)))
    distiller = Distiller(looked, make_teacher(), dtype="mixed_bfloat16")
    seen.clear()
    distiller(np.zeros((1, *SHAPE), "float32"))
    assert [keras.backend.standardize_dtype(dtype) for dtype in seen] == ["float32"]


def test_a_teacher_in_half_precision_teaches_a_student_in_full():
    logs = []
    for teacher in (under("mixed_bfloat16", make_teacher), make_teacher()):
        distiller = Distiller(make_student(), teacher, "soft")
        distiller.compile("sgd")
        logs.append(one_step(distiller, *make_batch(32)))
    assert logs[0] == pytest.approx(logs[1], rel=0.02)
