import keras
import numpy as np
import pytest

from keras_cait import preprocess_input
from keras_cait.training.teachers.saved_teacher import load_teacher
from keras_cait.training.teachers.teacher import make_teacher
from tests.support.models.tiny_models import (
    tiny_cait,
    tiny_deit,
    tiny_regnety,
    to_numpy,
)


def pixels(*shape):
    return np.random.default_rng(0).uniform(0, 255, shape).astype("float32")


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
def test_a_model_of_this_package_takes_pixels(family, include_preprocessing, tmp_path):
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


def test_a_file_of_other_classes_or_channels_or_no_file_is_refused(tmp_path):
    path = str(tmp_path / "teacher.keras")
    make_teacher("convnet", (8, 8, 1), 5, weights=None).model.save(path)
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
def test_a_file_without_a_classifier_or_with_unknown_layers_is_refused(
    last, said, tmp_path
):
    layers = [keras.Input((4,)), keras.layers.Dense(5), last]
    keras.Sequential(layers).save(tmp_path / "teacher.keras")
    with pytest.raises(ValueError, match=said):
        load_teacher(tmp_path / "teacher.keras", (4, 4, 1), 5)
