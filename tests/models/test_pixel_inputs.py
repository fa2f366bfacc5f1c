import keras
import pytest

import keras_cait
from keras_cait import Preprocessing
from keras_cait.models.image_inputs import prepared_images
from keras_cait.models.pixel_inputs import takes_pixels
from tests.support.models.tiny_models import tiny_deit

L = keras.layers


@pytest.fixture
def images():
    return keras.Input((16, 16, 3))


def test_a_model_of_another_package_takes_pixels(images):
    x = L.Rescaling(1 / 127.5, offset=-1)(images)
    assert takes_pixels(keras.Model(images, L.Conv2D(4, 3)(x)))


def test_geometric_layers_in_front_change_nothing():
    images = keras.Input((20, 20, 3))
    turned = L.RandomFlip()(L.Resizing(32, 32)(images))
    assert takes_pixels(tiny_deit(input_tensor=turned, include_preprocessing=True))
    assert not takes_pixels(tiny_deit(input_tensor=turned))
    inside = tiny_deit(input_shape=(16, 16, 3))
    wrapped = keras.Model(images, inside(L.Resizing(16, 16)(turned)))
    assert not takes_pixels(wrapped)


def test_a_rescaling_in_front_of_an_inner_model_is_refused(images):
    scaled = L.Rescaling(1 / 127.5, offset=-1, name="scaled")(images)
    model = keras.Model(images, tiny_deit(input_shape=(16, 16, 3))(scaled))
    with pytest.raises(ValueError, match=r"begins with 'scaled'.*preprocessing=ker"):
        takes_pixels(model)


def test_normalization_in_front_of_an_inner_model_takes_pixels(images):
    own = Preprocessing(mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.25))
    normalized = prepared_images(images, own, normalize=True)
    around = keras.Model(images, tiny_deit(input_shape=(16, 16, 3))(normalized))
    assert takes_pixels(around)
    assert keras_cait.preprocessing_for(around).mean == own.mean
