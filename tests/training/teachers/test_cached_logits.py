"""A run with cached teacher logits equals the run with the teacher."""

import os

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_cait import Distiller
from keras_cait.training.devices.strategy import make_strategy, scope_of
from keras_cait.training.teachers.cached_logits import cached_teacher_logits
from keras_cait.training.teachers.teacher import Teacher
from tests.support.models.distillation_models import (
    CLASSES,
    SHAPE,
    make_student,
    make_teacher,
    weights_of,
)
from tests.support.on_jax import run_on_jax

KEY = {"data": "noise", "images": 48, "seed": 0, "views": {"flip": True}}
STEPS, BATCH = 6, 8
LARGER = (24, 24, 3)


def run_batches(seed=0, first_step=0, changed_step=-1, steps=STEPS, batch=BATCH):
    """All batches of a run: random images that follow from seed and step."""

    def batch_of(step):
        place = tf.stack([tf.cast(seed, "int64"), step])
        changed = tf.cast(step == changed_step, "float32")
        images = tf.random.stateless_normal((batch, *SHAPE), place) + 1e-3 * changed
        labels = tf.random.stateless_uniform((batch,), place, 0, CLASSES, "int64")
        return images, labels

    return tf.data.Dataset.range(first_step, steps).map(batch_of)


def teacher_of(activation=None, shape=SHAPE):
    model = make_teacher(activation, shape)
    resize = None if shape == SHAPE else keras.layers.Resizing(*shape[:2])
    return Teacher(model=model, trained=True, preprocessing=resize)


def cached(folder, batches=None, teacher=None, key=KEY, **options):
    return cached_teacher_logits(
        run_batches() if batches is None else batches,
        teacher or teacher_of(),
        folder / "logits.npy",
        key=key,
        **options,
    )


def train(data, teacher, distillation="soft"):
    """Three epochs of two steps; the weights and the log."""
    distiller = Distiller(
        make_student(), teacher.model, distillation, 0.5, teacher.preprocessing
    )
    distiller.compile(keras.optimizers.SGD(0.1, momentum=0.9))
    log = distiller.fit(data, epochs=3, steps_per_epoch=2, shuffle=False, verbose=0)
    return weights_of(distiller.student), log.history


def assert_same(one, other):
    for path, value in one[0].items():
        np.testing.assert_allclose(value, other[0][path], atol=1e-6, err_msg=path)
    for name, values in one[1].items():
        assert values == pytest.approx(other[1][name], rel=1e-5), name


@pytest.mark.parametrize(
    ("activation", "shape"),
    [pytest.param(None, SHAPE, marks=pytest.mark.slow), ("softmax", LARGER)],
)
def test_cached_logits_train_like_the_uncalled_teacher(activation, shape, tmp_path):
    teacher = teacher_of(activation, shape)
    expected = train(run_batches(), teacher)
    cached(tmp_path, teacher=teacher)
    data = cached(tmp_path, teacher=teacher)  # from the file

    def refuse(*_, **__):
        raise AssertionError("the teacher was called")

    teacher.model.call = refuse
    assert_same(train(data, teacher), expected)


@pytest.mark.slow
@pytest.mark.skipif(keras.backend.backend() == "jax", reason="runs on JAX already")
def test_cached_logits_train_like_the_teacher_on_jax():
    name = "test_cached_logits_train_like_the_uncalled_teacher[softmax-shape1]"
    run_on_jax(f"tests/training/teachers/test_cached_logits.py::{name}")


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="tf.distribute")
def test_cached_logits_train_like_the_teacher_on_two_replicas(tmp_path):
    expected = train(run_batches(), teacher_of())
    with scope_of(make_strategy("mirrored:2")):
        teacher = teacher_of()
        found = train(cached(tmp_path, teacher=teacher), teacher)
    assert_same(found, expected)


def test_the_second_call_reads_the_file(tmp_path):
    done = []
    first = cached(tmp_path, on_step=lambda *progress: done.append(progress))
    assert done == [(step, STEPS) for step in range(1, STEPS + 1)]
    written = (tmp_path / "logits.npy").stat()
    again = cached(tmp_path, on_step=lambda *progress: done.append(progress))
    assert len(done) == STEPS
    assert (tmp_path / "logits.npy").stat().st_mtime_ns == written.st_mtime_ns
    assert int(again.cardinality()) == STEPS
    for (_, one), (_, other) in zip(first, again, strict=True):
        np.testing.assert_array_equal(one["teacher_logits"], other["teacher_logits"])


def test_sample_weights_are_kept(tmp_path):
    weighted = run_batches().map(lambda *batch: (*batch, tf.ones(BATCH)))
    _, targets, weight = next(iter(cached(tmp_path, weighted)))
    assert sorted(targets) == ["labels", "teacher_logits"]
    np.testing.assert_array_equal(weight, np.ones(BATCH))


def test_a_resumed_run_gets_the_remaining_logits(tmp_path):
    with pytest.raises(FileNotFoundError, match="resumed at step 4"):
        cached(tmp_path, run_batches(first_step=4), first_step=4)
    whole = list(cached(tmp_path).as_numpy_iterator())
    rest = cached(tmp_path, run_batches(first_step=4), first_step=4)
    rest = list(rest.as_numpy_iterator())
    assert len(rest) == 2
    for (images, targets), (expected, others) in zip(rest, whole[4:], strict=True):
        np.testing.assert_array_equal(images, expected)
        np.testing.assert_array_equal(
            targets["teacher_logits"], others["teacher_logits"]
        )


def other_weights():
    teacher = teacher_of()
    teacher.model.layers[-1].bias.assign_add([0, 0, 0, 1e-3])
    return teacher


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        (lambda: {"key": {**KEY, "seed": 1}}, "key.seed: 0 there, 1 here"),
        (lambda: {"key": {**KEY, "views": {}}}, "views.flip: True there, nothing here"),
        (lambda: {"batches": run_batches(steps=8)}, "steps: 6 there, 8 here"),
        (lambda: {"batches": run_batches(batch=4)}, "batch_size: 8 there, 4 here"),
        (lambda: {"teacher": other_weights()}, "teacher_weights: "),
    ],
)
def test_the_file_of_another_run_is_refused(change, difference, tmp_path):
    cached(tmp_path)
    with pytest.raises(ValueError, match="another run") as error:
        cached(tmp_path, **change())
    lines = str(error.value).splitlines()
    assert [difference in line for line in lines[1:-1]] == [True]
    assert str(tmp_path) in lines[0]


def test_a_teacher_with_other_preprocessing_is_refused(tmp_path):
    cached(tmp_path)
    teacher = teacher_of()
    brighter = Teacher(
        model=teacher.model, trained=True, preprocessing=keras.layers.Rescaling(1.5)
    )
    with pytest.raises(ValueError, match="The teacher's logits must"):
        cached(tmp_path, teacher=brighter)


def test_other_images_are_refused_at_once(tmp_path):
    cached(tmp_path)
    with pytest.raises(ValueError, match=r"images must be those.*in step 0"):
        cached(tmp_path, run_batches(changed_step=0))


def test_other_images_in_a_later_step_are_refused_there(tmp_path):
    cached(tmp_path)
    batches = iter(cached(tmp_path, run_batches(changed_step=3)))
    for _ in range(3):
        next(batches)
    with pytest.raises(tf.errors.InvalidArgumentError, match="that the teacher had"):
        next(batches)


def test_an_interrupted_write_leaves_no_file(tmp_path):
    def interrupt(step, _):
        if step == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cached(tmp_path, on_step=interrupt)
    assert os.listdir(tmp_path) == []
    assert int(cached(tmp_path).cardinality()) == STEPS


def test_a_truncated_file_is_refused_by_name(tmp_path):
    cached(tmp_path)
    path = tmp_path / "logits.npy"
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(ValueError, match=r"logits\.npy.*Remove it"):
        cached(tmp_path)


@pytest.mark.parametrize(
    "batches",
    [
        lambda: run_batches().unbatch().batch(5),
        lambda: run_batches().filter(lambda *_: True),
        lambda: run_batches().repeat(),
    ],
)
def test_batches_of_unknown_number_or_size_are_refused(batches, tmp_path):
    with pytest.raises(ValueError, match="one size and of known number"):
        cached(tmp_path, batches())
    assert os.listdir(tmp_path) == []
