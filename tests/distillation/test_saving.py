"""Saving and loading of a distiller, and of its student alone."""

import keras
import numpy as np
import pytest

import keras_cait
from keras_cait import Distiller, SoftDistillation
from keras_cait.training.optimizers.adamw import AdamW
from tests.support.models.distillation_models import (
    make_batch,
    make_student,
    make_teacher,
    one_step,
    weights_of,
)


@pytest.fixture
def distiller():
    made = Distiller(
        make_student(),
        make_teacher(shape=(24, 24, 3)),
        SoftDistillation(temperature=2.0),
        alpha=0.2,
        teacher_preprocessing=keras.layers.Resizing(24, 24),
    )
    loss = keras.losses.SparseCategoricalCrossentropy()
    made.compile(AdamW(1e-2), loss, metrics=["sparse_top_k_categorical_accuracy"])
    one_step(made, *make_batch())
    return made


def test_a_loaded_distiller_is_compiled_and_trains_on(distiller, tmp_path):
    path = tmp_path / "distiller.keras"
    distiller.save(path)
    again = keras.models.load_model(path)
    assert again.alpha == 0.2
    assert repr(again.distillation) == repr(distiller.distillation)
    assert again.optimizer.undecayed == distiller.optimizer.undecayed
    batch = make_batch(seed=5)
    assert one_step(again, *batch) == pytest.approx(one_step(distiller, *batch))
    for path, weight in weights_of(distiller.student).items():
        other = weights_of(again.student)[path]
        np.testing.assert_allclose(weight, other, atol=1e-6, err_msg=path)


@pytest.mark.parametrize("distillation", ["hard", "none"])
def test_arguments_survive_saving(distillation, tmp_path):
    teacher = None if distillation == "none" else make_teacher()
    distiller = Distiller(make_student(), teacher, distillation)
    distiller.compile("sgd", "sparse_categorical_crossentropy", jit_compile=False)
    distiller.save(tmp_path / "distiller.keras")
    again = keras.models.load_model(tmp_path / "distiller.keras")
    for name in ("name", "distillation", "alpha", "teacher_output"):
        assert again.get_config()[name] == distiller.get_config()[name], name
    assert (again.teacher is None) == (teacher is None)
    assert one_step(again, *make_batch()) == one_step(distiller, *make_batch())


def test_the_student_is_saved_without_the_teacher(distiller, tmp_path):
    path = tmp_path / "student.keras"
    distiller.student.save(path)
    images, _ = make_batch()
    alone = keras.models.load_model(path)
    assert alone.count_params() == make_student().count_params()
    np.testing.assert_array_equal(
        alone.predict_on_batch(images), distiller.student.predict_on_batch(images)
    )
    fresh = make_student()
    keras_cait.load_weights(fresh, path)
    np.testing.assert_array_equal(
        fresh.predict_on_batch(images), alone.predict_on_batch(images)
    )


def test_the_student_s_weights_are_once_in_the_file(distiller, tmp_path):
    import h5py

    distiller.save_weights(tmp_path / "distiller.weights.h5")
    with h5py.File(tmp_path / "distiller.weights.h5") as file:
        assert sorted(file["layers"]) == ["functional", "resizing", "sequential"]


def test_an_uncompiled_distiller_is_saved_and_loaded(tmp_path):
    Distiller(make_student(), make_teacher()).save(tmp_path / "distiller.keras")
    again = keras.models.load_model(tmp_path / "distiller.keras")
    assert not again.compiled
    again.compile("sgd")
    assert np.isfinite(one_step(again, *make_batch())["loss"])


@keras.saving.register_keras_serializable(package="tests")
def registered(images):
    return images / 2


def unregistered(images):
    return images / 2


class WithoutConfig:
    def __call__(self, images):
        return images / 2


@pytest.mark.parametrize(
    "function",
    [
        pytest.param(keras.applications.resnet50.preprocess_input, id="resnet50"),
        pytest.param(registered, id="registered"),
        pytest.param(keras.ops.square, id="square", marks=pytest.mark.slow),
    ],
)
def test_a_preprocessing_function_is_loaded_again(function, tmp_path):
    path = tmp_path / "distiller.keras"
    distiller = Distiller(
        make_student(), make_teacher(), teacher_preprocessing=function
    )
    distiller.save(path)
    again = keras.models.load_model(path)
    assert again.teacher_preprocessing is function
    images = make_batch()[0]
    np.testing.assert_array_equal(
        *(made.teacher_images(images) for made in (again, distiller))
    )


@pytest.mark.parametrize(
    "function",
    [unregistered, lambda images: images / 2, WithoutConfig()],
    ids=["unregistered", "lambda", "object"],
)
def test_a_preprocessing_that_cannot_be_loaded_is_not_saved(function, tmp_path):
    path = tmp_path / "distiller.keras"
    distiller = Distiller(
        make_student(), make_teacher(), teacher_preprocessing=function
    )
    with pytest.raises(ValueError, match=r"(?s)teacher_preprocessing=.*register_keras"):
        distiller.save(path)
    assert not path.exists()
