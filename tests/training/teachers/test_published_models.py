import numpy as np
import pytest

import keras_cait
from keras_cait.models.logits import output_kind
from keras_cait.training.teachers import published_models
from keras_cait.training.teachers.published_models import published_teacher
from tests.support.models.tiny_models import to_numpy, without_values

SHAPE = (32, 32, 3)


def pixels(*shape):
    return np.random.default_rng(0).uniform(0, 255, shape).astype("float32")


@pytest.mark.parametrize(
    ("name", "image_shape"),
    [
        ("RegNetY_16GF", (224, 224, 3)),
        ("RegNetY_16GF", (8, 8, 1)),
        ("regnety_160.deit_in1k", (32, 48, 3)),
        ("DeiT_B", (40, 40, 3)),
        ("deit_small_distilled_patch16_224", (8, 8, 1)),
        ("CaiT_XXS24", (224, 224, 3)),
    ],
)
def test_a_model_of_this_package_takes_the_student_s_images(name, image_shape):
    with without_values():
        teacher, trained = published_teacher(name, image_shape, 10, None)
        assert teacher.input_shape == (None, *image_shape)
        assert teacher.output_shape == (None, 10)
    assert output_kind(teacher) == "logits"
    assert "preprocessing" in [layer.name for layer in teacher.layers]
    assert not trained


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A model of seven classes and the file of its weights."""
    model = keras_cait.DeiT_Ti(
        weights=None, input_shape=SHAPE, classes=7, classifier_activation=None
    )
    path = tmp_path_factory.mktemp("weights") / "model.safetensors"
    keras_cait.save_timm_weights(model, path)
    return model, path


def test_weights_for_the_same_classes_give_a_trained_teacher(checkpoint):
    model, path = checkpoint
    teacher, trained = published_teacher("DeiT_Ti", SHAPE, 7, path)
    assert trained
    images = pixels(2, *SHAPE)
    expected = to_numpy(model(keras_cait.preprocess_input(images)))
    found = to_numpy(teacher(images))
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())


def test_other_classes_get_a_new_head_without_a_warning(checkpoint):
    model, path = checkpoint
    teacher, trained = published_teacher("DeiT_Ti", (8, 8, 1), 10, path)
    assert not trained
    assert teacher.output_shape == (None, 10)
    np.testing.assert_array_equal(
        teacher.get_layer("norm").gamma, model.get_layer("norm").gamma
    )
    kernel = model.get_layer("patch_embedding").get_weights()[0]
    found = teacher.get_layer("patch_embedding").get_weights()[0]
    np.testing.assert_array_equal(found, kernel)


def test_weights_of_another_variant_are_refused(checkpoint):
    with pytest.raises(ValueError, match="looks like one of DeiT_Ti"):
        published_teacher("DeiT_S", SHAPE, 7, checkpoint[1])


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("RegNetY_16GF", "hf://timm/regnety_160.deit_in1k"),
        ("DeiT_B", "hf://timm/deit_base_patch16_224.fb_in1k"),
        (
            "deit3_base_patch16_224.fb_in22k_ft_in1k",
            "hf://timm/deit3_base_patch16_224.fb_in22k_ft_in1k",
        ),
    ],
)
def test_imagenet_loads_the_published_weights(name, source, monkeypatch):
    asked = []
    monkeypatch.setattr(
        published_models, "load_weights", lambda _, source: asked.append(source)
    )
    with without_values():
        _, trained = published_teacher(name, (224, 224, 3), 1000, "imagenet")
    assert (asked, trained) == ([source], True)
