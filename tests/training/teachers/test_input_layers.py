import keras
import numpy as np
import pytest

from keras_cait.training.teachers.input_layers import (
    apply_preprocess_input,
    as_color_images,
)
from tests.support.models.tiny_models import to_numpy

MODULES = {
    "ResNet50": keras.applications.resnet50,
    "MobileNetV2": keras.applications.mobilenet_v2,
    "DenseNet121": keras.applications.densenet,
}


def pixels(*shape):
    return np.random.default_rng(0).uniform(0, 255, shape).astype("float32")


@pytest.mark.parametrize("name", MODULES)
def test_the_layers_equal_preprocess_input_of_an_architecture(name):
    """Those three cover the forms there are: swapped and shifted, [-1, 1], by std."""
    inputs = keras.Input((4, 4, 3))
    outputs = apply_preprocess_input(getattr(keras.applications, name), inputs)
    images = pixels(2, 4, 4, 3)
    found = keras.Model(inputs, outputs).predict_on_batch(images)
    expected = MODULES[name].preprocess_input(images.copy())
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-3)


def test_a_mixed_policy_does_not_change_the_images():
    images = pixels(1, 4, 4, 1)
    found = []
    for policy in ("float32", "mixed_bfloat16"):
        keras.config.set_dtype_policy(policy)
        try:
            inputs = keras.Input((4, 4, 1))
            x = as_color_images(inputs, (8, 8))
            x = apply_preprocess_input(keras.applications.MobileNetV2, x)
        finally:
            keras.config.set_dtype_policy("float32")
        found.append(to_numpy(keras.Model(inputs, x)(images)))
    assert found[1].shape == (1, 8, 8, 3)
    np.testing.assert_array_equal(found[0], found[1])


def test_images_of_the_right_size_pass_unchanged():
    inputs = keras.Input((32, 48, 3))
    assert as_color_images(inputs, (32, 48)) is inputs


def test_other_channels_are_refused():
    with pytest.raises(ValueError, match=r"1 or 3 channels.*images of 2"):
        as_color_images(keras.Input((32, 32, 2)), (32, 32))


def test_a_model_behind_the_resizing_is_called_in_inference_mode(tmp_path):
    inputs = keras.Input((4, 4, 3))
    x = keras.layers.BatchNormalization()(as_color_images(inputs, (8, 8)))
    model = keras.Model(inputs, x)
    model.save(tmp_path / "model.keras")
    images = pixels(2, 4, 4, 3)
    for each in (model, keras.saving.load_model(tmp_path / "model.keras")):
        expected = each.predict_on_batch(images)
        np.testing.assert_allclose(to_numpy(each(images)), expected, rtol=1e-6)
        assert not each.layers[-1].moving_mean.numpy().any()
        each(images, training=True)
        assert each.layers[-1].moving_mean.numpy().all()
