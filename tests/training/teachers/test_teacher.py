import dataclasses

import numpy as np
import pytest

from keras_cait import Distiller
from keras_cait.training.evaluation import named_outputs, predict
from keras_cait.training.teachers.teacher import make_teacher, resize_for_teacher
from keras_cait.variants import VARIANTS
from tests.support.models.distillation_models import (
    CLASSES,
    SHAPE,
    make_batch,
    make_student,
    one_step,
)
from tests.support.models.tiny_models import tiny_deit


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
def test_each_kind_of_teacher_distills_a_student(name, weights, monkeypatch):
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
    make_teacher("convnet", (16, 16, 1), 5, weights=None).model.save(path)
    teacher = make_teacher(path, (8, 12, 1), 5)
    assert teacher.trained
    assert teacher.preprocessing is not None
    assert teacher.preprocessing(np.zeros((2, 8, 12, 1))).shape == (2, 16, 16, 1)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("ResNet5", r"ResNet5'.*Did you mean ResNet50\?"),
        ("RegNetY_16", r"Did you mean RegNetY_16GF\?"),
        ("covnet", r"Did you mean convnet\?"),
    ],
)
def test_an_unknown_name_suggests_the_nearest_one(name, said):
    with pytest.raises(ValueError, match=said):
        make_teacher(name, (32, 32, 3), 10, weights=None)


def test_images_of_another_size_are_resized_for_the_teacher():
    teacher = make_teacher("convnet", (16, 16, 1), 5, weights=None).model
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
