import json

import keras
import keras_cv
import numpy as np
import pytest

from keras_cait.models.logits import output_kind
from keras_cait.training.teachers.keras_cv import ARCHITECTURES, keras_cv_teacher
from keras_cait.training.teachers.saved_teacher import load_teacher
from tests.support.models.tiny_models import to_numpy, without_values

SHAPE = (32, 32, 3)


def pixels(*shape):
    return np.random.default_rng(0).uniform(0, 255, shape).astype("float32")


def published_size(architecture):
    """Number of weights without the head."""
    presets = keras_cv.models.ImageClassifier.presets
    size = presets[architecture]["metadata"].get("params")
    if size is not None:
        return size
    # The presets of DenseNets do not say it.
    name = architecture.replace("densenet", "DenseNet")
    builder = getattr(keras.applications, name)
    return builder(weights=None, include_top=False).count_params()


@pytest.mark.parametrize(
    "architecture",
    [
        name
        if name in ("resnet18", "resnet50_v2")
        else pytest.param(name, marks=pytest.mark.slow)
        for name in ARCHITECTURES
    ],
)
def test_sizes_are_those_of_the_published_presets(architecture):
    with without_values():
        teacher, trained = keras_cv_teacher(f"keras_cv:{architecture}", SHAPE, 7, None)
        expected = published_size(architecture)
        assert teacher.layers[-2].count_params() == expected
        assert teacher.output_shape == (None, 7)
    assert output_kind(teacher) == "logits"
    assert not trained


@pytest.mark.parametrize(
    ("name", "image_shape"),
    [
        ("resnet18_v2", (8, 8, 1)),
        pytest.param("densenet121_imagenet", (32, 40, 3), marks=pytest.mark.slow),
    ],
)
def test_random_weights_need_no_network_and_rescale(name, image_shape, tmp_path):
    teacher, _ = keras_cv_teacher(f"keras_cv:{name}", image_shape, 7, None)
    images = pixels(2, *image_shape)
    rescaled = [
        layer
        for inner in teacher.layers
        if isinstance(inner, keras.Model)
        for layer in inner.layers
        if isinstance(layer, keras.layers.Rescaling)
    ]
    assert [layer.scale for layer in rescaled] == [1 / 255]
    teacher.save(tmp_path / "teacher.keras")
    again = load_teacher(tmp_path / "teacher.keras", image_shape, 7)
    np.testing.assert_array_equal(to_numpy(again(images)), to_numpy(teacher(images)))


def make_classifier(classes=7, include_rescaling=True):
    models = keras_cv.models
    backbone = models.ResNetBackbone(
        stackwise_filters=[64],
        stackwise_blocks=[1],
        stackwise_strides=[1],
        include_rescaling=include_rescaling,
        block_type="basic_block",
    )
    return models.ImageClassifier(backbone, num_classes=classes)


def save_preset(model, folder):
    """Writes a preset as keras-cv lays it out."""
    config = keras.saving.serialize_keras_object(model)
    folder.mkdir()
    model.save_weights(folder / "model.weights.h5")
    config["weights"] = "model.weights.h5"
    (folder / "config.json").write_text(json.dumps(config))


def test_a_classifier_is_trained_for_its_own_classes(tmp_path):
    classifier = make_classifier()
    save_preset(classifier, tmp_path / "mine")
    name = f"keras_cv:{tmp_path / 'mine'}"
    teacher, trained = keras_cv_teacher(name, (40, 32, 1), 7, "imagenet")
    assert trained
    assert output_kind(teacher) == "probabilities"
    images = pixels(2, 40, 32, 1)
    expected = to_numpy(classifier(np.repeat(images, 3, axis=-1)))
    np.testing.assert_allclose(to_numpy(teacher(images)), expected, atol=1e-6)
    other, trained = keras_cv_teacher(name, SHAPE, 5, "imagenet")
    assert not trained
    assert other.output_shape == (None, 5)
    kernel = classifier.backbone.get_weights()[0]
    np.testing.assert_array_equal(other.get_weights()[0], kernel)


def test_a_backbone_gets_a_head(tmp_path):
    backbone = make_classifier().backbone
    save_preset(backbone, tmp_path / "mine")
    name = f"keras_cv:{tmp_path / 'mine'}"
    teacher, trained = keras_cv_teacher(name, SHAPE, 7, "imagenet")
    assert not trained
    np.testing.assert_array_equal(teacher.get_weights()[0], backbone.get_weights()[0])


def test_a_classifiers_keras_file_is_a_teacher(tmp_path):
    classifier = make_classifier()
    classifier.save(tmp_path / "teacher.keras")
    teacher = load_teacher(tmp_path / "teacher.keras", SHAPE, 7)
    images = pixels(2, *SHAPE)
    expected = to_numpy(classifier(images))
    np.testing.assert_array_equal(to_numpy(teacher(images)), expected)


def test_a_backbone_for_another_range_is_refused(tmp_path):
    save_preset(make_classifier(include_rescaling=False), tmp_path / "mine")
    with pytest.raises(ValueError, match=r"\[0, 255\].*include_rescaling=False"):
        keras_cv_teacher(f"keras_cv:{tmp_path / 'mine'}", SHAPE, 7, "imagenet")


def test_a_failed_download_gives_one_line(monkeypatch):
    import kagglehub

    def fail(*_, **__):
        raise OSError("no such host\nand more")

    monkeypatch.setattr(kagglehub, "model_download", fail)
    name = "keras_cv:resnet50_v2_imagenet_classifier"
    with pytest.raises(ValueError, match=r"resnet50.*no such host.*None") as error:
        keras_cv_teacher(name, SHAPE, 7, "imagenet")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "weights", "said"),
    [
        ("resnet81_v2", None, r"Did you mean keras_cv:resnet18_v2\?"),
        ("resnet50_v2", "imagenet", r"No weights.*keras_cv:resnet50_v2_imagenet"),
        ("resnet50_v2", "mine.h5", "'mine.h5'"),
    ],
)
def test_values_out_of_range_are_refused(name, weights, said):
    with pytest.raises(ValueError, match=said):
        keras_cv_teacher(f"keras_cv:{name}", SHAPE, 7, weights)
