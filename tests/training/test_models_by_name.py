"""Students and teachers by the names that a command line gives."""

import keras
import numpy as np
import pytest

from keras_cait.training.students import student_size
from keras_cait.training.teachers import (
    build_teacher,
    load_teacher,
    teacher_accuracy,
    teacher_preprocessing,
)


@pytest.mark.parametrize("name", ["DeiT_S", "DeiT_S_Distilled"])
def test_a_published_student(name):
    size = {"embed_dim": 384, "depth": 12, "num_heads": 6, "patch_size": 16}
    assert student_size(name) == size


def test_a_student_of_ones_own_size():
    name = "patch_size=4, embed_dim=96, depth=6, num_heads=3"
    expected = {"embed_dim": 96, "depth": 6, "num_heads": 3, "patch_size": 4}
    assert student_size(name) == expected


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("DeiT_Tiny", "Did you mean DeiT_Ti?"),
        ("embed_dim=64,depth=4", "must be one of"),
        ("embed_dim=64,depth=4,num_heads=4,patch_size=two", "whole numbers"),
    ],
)
def test_no_such_student(name, said):
    with pytest.raises(ValueError, match="student") as error:
        student_size(name)
    assert said in str(error.value)


def test_no_such_teacher():
    with pytest.raises(ValueError, match=r"ResNet5'.*Did you mean ResNet50\?"):
        build_teacher("ResNet5", (32, 32, 3), 10, weights=None)


@pytest.mark.parametrize("shape", [(8, 8, 1), (40, 40, 3)])
def test_an_architecture_of_keras_applications(shape, tmp_path):
    teacher = build_teacher("MobileNetV2", shape, 7, weights=None)
    assert teacher.input_shape == (None, *shape)
    assert teacher.output_shape == (None, 7)
    teacher.save(tmp_path / "teacher.keras")
    again = load_teacher(str(tmp_path / "teacher.keras"), shape, 7)
    images = np.random.default_rng(0).uniform(0, 255, (2, *shape)).astype("float32")
    np.testing.assert_allclose(
        again.predict_on_batch(images), teacher.predict_on_batch(images), atol=1e-5
    )


@pytest.mark.parametrize("name", ["ResNet50", "MobileNetV2", "DenseNet121"])
def test_its_own_preprocessing_as_layers(name):
    """Those three cover the forms there are: swapped and shifted, [-1, 1], by std."""
    from keras_cait.training.teachers import _preprocessed

    builder = getattr(keras.applications, name)
    inputs = keras.Input((4, 4, 3))
    model = keras.Model(inputs, _preprocessed(builder, inputs))
    images = np.random.default_rng(0).uniform(0, 255, (2, 4, 4, 3)).astype("float32")
    module = {
        "ResNet50": keras.applications.resnet50,
        "MobileNetV2": keras.applications.mobilenet_v2,
        "DenseNet121": keras.applications.densenet,
    }[name]
    expected = module.preprocess_input(images.copy())
    found = model.predict_on_batch(images)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-3)


def test_a_file_of_other_classes_or_channels_or_none(tmp_path):
    path = str(tmp_path / "teacher.keras")
    build_teacher("convnet", (8, 8, 1), 5, weights=None).save(path)
    with pytest.raises(ValueError, match=r"10 classes.*with 5"):
        load_teacher(path, (8, 8, 1), 10)
    with pytest.raises(ValueError, match=r"3 channel\(s\).*takes 1"):
        load_teacher(path, (8, 8, 3), 5)
    with pytest.raises(FileNotFoundError, match="No teacher at"):
        load_teacher(str(tmp_path / "other.keras"), (8, 8, 1), 5)


def test_accuracy_and_resizing():
    teacher = build_teacher("convnet", (16, 16, 1), 5, weights=None)
    assert teacher_preprocessing(teacher, (16, 16, 1)) is None
    resize = teacher_preprocessing(teacher, (8, 8, 1))
    assert resize is not None
    images = np.random.default_rng(0).uniform(0, 255, (6, 8, 8, 1)).astype("float32")
    answers = teacher.predict_on_batch(resize(images)).argmax(1)
    labels = np.where(np.arange(6) < 4, answers, (answers + 1) % 5)
    batches = [(images[:4], labels[:4]), (images[4:], labels[4:])]
    assert teacher_accuracy(teacher, batches, resize) == pytest.approx(4 / 6)
