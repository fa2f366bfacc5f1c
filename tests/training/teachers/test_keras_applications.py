import inspect

import keras
import numpy as np
import pytest

from keras_cait.models.logits import output_kind
from keras_cait.training.teachers.keras_applications import applications_teacher
from tests.support.models.tiny_models import to_numpy, without_values

SHAPE = (32, 32, 3)


def pixels(*shape):
    return np.random.default_rng(0).uniform(0, 255, shape).astype("float32")


def serve(monkeypatch, builder, give):
    """Makes `give()` what keras.applications downloads."""
    utils = vars(inspect.getmodule(builder))["file_utils"]
    monkeypatch.setattr(utils, "get_file", lambda *_, **__: give())


def test_with_1000_classes_it_is_the_published_classifier(monkeypatch, tmp_path):
    builder = keras.applications.MobileNetV2
    published = builder(weights=None, classifier_activation=None)
    path = tmp_path / "published.weights.h5"
    published.save_weights(path)
    serve(monkeypatch, builder, lambda: str(path))
    teacher, trained = applications_teacher("MobileNetV2", SHAPE, 1000, "imagenet")
    assert trained
    assert output_kind(teacher) == "logits"
    images = pixels(2, *SHAPE)
    larger = keras.ops.image.resize(images, (224, 224))
    expected = to_numpy(
        published(keras.applications.mobilenet_v2.preprocess_input(np.array(larger)))
    )
    found = to_numpy(teacher(images))
    np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max())


def test_an_application_for_other_classes_gets_a_new_head(monkeypatch, tmp_path):
    builder = keras.applications.MobileNetV2
    body = builder(weights=None, include_top=False, input_shape=SHAPE)
    path = tmp_path / "body.weights.h5"
    body.save_weights(path)
    serve(monkeypatch, builder, lambda: str(path))
    teacher, trained = applications_teacher("MobileNetV2", (8, 8, 1), 7, "imagenet")
    assert not trained
    assert teacher.output_shape == (None, 7)
    assert output_kind(teacher) == "logits"
    (inner,) = (layer for layer in teacher.layers if isinstance(layer, keras.Model))
    for expected, found in zip(body.get_weights(), inner.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("name", ["Xception", "InceptionV3", "ConvNeXtTiny"])
def test_small_images_are_enlarged(name):
    with without_values():
        teacher, _ = applications_teacher(name, (8, 8, 1), 7, None)
    assert teacher.output_shape == (None, 7)


def test_a_failed_download_gives_one_line(monkeypatch):
    def fail():
        raise Exception("URL fetch failure\nand more")

    serve(monkeypatch, keras.applications.MobileNetV2, fail)
    with pytest.raises(ValueError, match=r"MobileNetV2.*URL fetch.*None") as got:
        applications_teacher("MobileNetV2", SHAPE, 7, "imagenet")
    assert "\n" not in str(got.value)


def test_a_file_of_weights_is_refused_for_an_application():
    with pytest.raises(ValueError, match=r"ResNet50;.*'mine.h5'"):
        applications_teacher("ResNet50", SHAPE, 7, "mine.h5")
