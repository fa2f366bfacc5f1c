import dataclasses

import keras
import numpy as np
import pytest

from keras_cait import Distiller, preprocess_input
from keras_cait.training.evaluation import named_outputs, predict
from keras_cait.training.teachers.teacher import (
    build_teacher,
    load_teacher,
    make_teacher,
    resize_for_teacher,
)
from keras_cait.variants import VARIANTS
from tests.support.models.distillation_models import (
    CLASSES,
    SHAPE,
    make_batch,
    make_student,
    one_step,
)
from tests.support.models.tiny_models import (
    tiny_cait,
    tiny_deit,
    tiny_regnety,
    to_numpy,
)


def pixels(*shape):
    return np.random.default_rng(0).uniform(0, 255, shape).astype("float32")


@pytest.mark.parametrize(
    ("name", "weights"),
    [
        ("convnet", "imagenet"),
        ("RegNetY_16GF", None),
        ("MobileNetV2", None),
        ("keras_cv:resnet18", None),
    ],
)
def test_each_kind_teaches_a_student(name, weights, monkeypatch):
    small = {"depth": 7, "w0": 8, "wa": 8.0, "wm": 1.8, "group_size": 8}
    regnet = dataclasses.replace(VARIANTS["RegNetY_16GF"], **small)
    monkeypatch.setitem(VARIANTS, "RegNetY_16GF", regnet)
    teacher = make_teacher(name, SHAPE, CLASSES, weights=weights)
    assert not teacher.trained
    assert teacher.preprocessing is None
    distiller = Distiller(make_student(), teacher.model)
    distiller.compile("sgd")
    images, labels = make_batch()
    assert np.isfinite(one_step(distiller, 255 * abs(images), labels)["loss"])


def test_a_file_is_a_trained_teacher_at_its_own_size(tmp_path):
    path = str(tmp_path / "teacher.keras")
    build_teacher("convnet", (16, 16, 1), 5, weights=None).save(path)
    teacher = make_teacher(path, (8, 12, 1), 5)
    assert teacher.trained
    assert teacher.preprocessing is not None
    assert teacher.preprocessing(np.zeros((2, 8, 12, 1))).shape == (2, 16, 16, 1)


@pytest.mark.parametrize(
    ("family", "include_preprocessing"),
    [
        (tiny_deit, False),
        (tiny_regnety, False),
        (tiny_deit, True),
        pytest.param(tiny_cait, False, marks=pytest.mark.slow),
        pytest.param(tiny_regnety, True, marks=pytest.mark.slow),
    ],
)
def test_a_model_of_this_package_gets_pixels(family, include_preprocessing, tmp_path):
    model = family(input_shape=(32, 32, 3), include_preprocessing=include_preprocessing)
    model.save(tmp_path / "teacher.keras")
    teacher = load_teacher(tmp_path / "teacher.keras", (32, 32, 3), 10)
    images = pixels(2, 32, 32, 3)
    seen = images if include_preprocessing else preprocess_input(images)
    expected = to_numpy(model(seen))
    np.testing.assert_allclose(to_numpy(teacher(images)), expected, atol=1e-5)
    teacher.save(tmp_path / "again.keras")
    again = load_teacher(tmp_path / "again.keras", (32, 32, 3), 10)
    np.testing.assert_array_equal(to_numpy(again(images)), to_numpy(teacher(images)))


def test_a_linear_model_is_not_taken_for_one_of_this_package(tmp_path):
    """Though its only layer with weights has the name of our heads."""
    inputs = keras.Input((4, 4, 3))
    x = keras.layers.GlobalAveragePooling2D()(inputs)
    model = keras.Model(inputs, keras.layers.Dense(5, name="head")(x))
    model.save(tmp_path / "teacher.keras")
    teacher = load_teacher(tmp_path / "teacher.keras", (4, 4, 3), 5)
    assert [type(layer) for layer in teacher.layers] == [
        type(layer) for layer in model.layers
    ]


def test_a_file_of_other_classes_or_channels_or_none(tmp_path):
    path = str(tmp_path / "teacher.keras")
    build_teacher("convnet", (8, 8, 1), 5, weights=None).save(path)
    with pytest.raises(ValueError, match=r"10 classes.*with 5"):
        load_teacher(path, (8, 8, 1), 10)
    with pytest.raises(ValueError, match=r"3 channel\(s\).*takes 1"):
        load_teacher(path, (8, 8, 3), 5)
    with pytest.raises(FileNotFoundError, match="No teacher at"):
        load_teacher(str(tmp_path / "other.keras"), (8, 8, 1), 5)


class Unknown(keras.layers.Layer):
    def call(self, inputs):
        return inputs


@pytest.mark.parametrize(
    ("last", "said"),
    [(keras.layers.Reshape((1, 5)), r"\[\(None, 1, 5\)\]"), (Unknown(), "'Unknown'")],
)
def test_a_file_of_no_classifier_or_of_unknown_parts(last, said, tmp_path):
    layers = [keras.Input((4,)), keras.layers.Dense(5), last]
    keras.Sequential(layers).save(tmp_path / "teacher.keras")
    with pytest.raises(ValueError, match=said):
        load_teacher(tmp_path / "teacher.keras", (4, 4, 1), 5)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("ResNet5", r"ResNet5'.*Did you mean ResNet50\?"),
        ("RegNetY_16", r"Did you mean RegNetY_16GF\?"),
        ("covnet", r"Did you mean convnet\?"),
    ],
)
def test_no_such_teacher(name, said):
    with pytest.raises(ValueError, match=said):
        build_teacher(name, (32, 32, 3), 10, weights=None)


def test_accuracy_and_resizing():
    teacher = build_teacher("convnet", (16, 16, 1), 5, weights=None)
    assert resize_for_teacher(teacher, (16, 16, 1)) is None
    resize = resize_for_teacher(teacher, (8, 8, 1))
    assert resize is not None
    images = pixels(6, 8, 8, 1)
    said = teacher.predict_on_batch(resize(images)).argmax(1)
    labels = np.where(np.arange(6) < 4, said, (said + 1) % 5)
    batches = [(images[:4], labels[:4]), (images[4:], labels[4:])]
    found = predict(named_outputs(teacher, resize), batches)
    assert found.accuracy("output") == pytest.approx(4 / 6)


def test_a_file_for_other_classes_or_another_order_is_refused(tmp_path):
    path = str(tmp_path / "teacher.keras")
    tiny_deit(depth=1, classes=2, class_names=["a", "b"]).save(path)
    shape = (32, 32, 3)
    assert make_teacher(path, shape, 2, class_names=["a", "b"]).trained
    with pytest.raises(ValueError, match=r"in their order.*'a', 'b'.*'b', 'a'"):
        make_teacher(path, shape, 2, class_names=["b", "a"])
    with pytest.raises(ValueError, match=r"for other classes.*'c'"):
        make_teacher(path, shape, 2, class_names=["a", "c"])
