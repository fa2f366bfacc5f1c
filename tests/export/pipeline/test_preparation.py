"""Preparation of models for export, and models that are refused."""

import dataclasses

import keras
import numpy as np
import pytest

import keras_cait
from keras_cait.export.pipeline.comparison_images import images_to_compare
from keras_cait.export.pipeline.preparation import prepare
from tests.support.models.tiny_models import tiny_cait, tiny_deit, tiny_regnety


@pytest.mark.parametrize("channels", [1, 3])
def test_images_are_normalized_as_the_model_would(channels):
    shape = {"input_shape": (16, 16, channels)}
    outside = prepare(tiny_deit(**shape))
    inside = prepare(tiny_deit(**shape, include_preprocessing=True))
    inside.reference.set_weights(outside.reference.get_weights())
    pixels, _ = images_to_compare(outside, None)
    np.testing.assert_allclose(
        outside.predict(outside.model_inputs(pixels))["probabilities"],
        inside.predict(inside.model_inputs(pixels))["probabilities"],
        rtol=1e-5,
    )


def test_logits_become_probabilities():
    found = prepare(tiny_cait(classifier_activation=None), labels=list("abcdefghij"))
    inputs = found.model_inputs(images_to_compare(found, None)[0])
    probabilities = found.predict(inputs)["probabilities"]
    np.testing.assert_allclose(probabilities.sum(axis=-1), 1, rtol=1e-5)
    assert found.labels == tuple("abcdefghij")


def test_models_without_a_classifier_and_wrong_labels_are_refused():
    with pytest.raises(ValueError, match=r"10 classes.*Received: 2 labels"):
        prepare(tiny_deit(), labels=["a", "b"])
    with pytest.raises(ValueError, match="include_top=True"):
        prepare(tiny_deit(include_top=False))
    with pytest.raises(ValueError, match=r"`images` must be of shape"):
        images_to_compare(prepare(tiny_deit()), np.zeros((2, 8, 8, 3)))


@pytest.mark.parametrize("channels", [1, 3])
def test_mean_and_std_have_one_value_for_each_channel(channels):
    found = prepare(tiny_deit(input_shape=(16, 16, channels)))
    assert len(found.preprocessing.mean) == len(found.preprocessing.std) == channels
    assert found.report_fields["mean"] == found.preprocessing.mean


@pytest.mark.parametrize("build", [tiny_deit, tiny_cait, tiny_regnety])
def test_takes_pixels_follows_include_preprocessing(build):
    assert prepare(build(include_preprocessing=True)).takes_pixels
    assert not prepare(build()).takes_pixels


def test_of_a_local_file_of_weights_only_the_name_is_published(tmp_path, monkeypatch):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "birds.keras").touch()
    monkeypatch.chdir(tmp_path)
    shown = {
        str(tmp_path / "run" / "birds.keras"): "birds.keras",
        "run/birds.keras": "birds.keras",
        "hf://owner/birds": "hf://owner/birds",
        "trained on iNaturalist/birds": "trained on iNaturalist/birds",
    }
    prepared = prepare(tiny_deit())
    for source, name in shown.items():
        found = dataclasses.replace(prepared, weights=source)
        assert found.published_source == name
        assert found.report_fields["weights"] == source


def test_geometric_layers_before_the_model_are_accepted():
    images = keras.layers.Resizing(16, 16)(keras.Input((20, 20, 3)))
    flipped = keras.layers.RandomFlip()(images)
    options = {"input_shape": (16, 16, 3), "input_tensor": flipped}
    assert prepare(tiny_deit(**options, include_preprocessing=True)).takes_pixels


def test_a_rescaling_layer_before_the_model_is_refused():
    """It cannot be told which images it is for: answers would be silently wrong."""
    images = keras.Input((16, 16, 3))
    scaled = keras.layers.Rescaling(1 / 127.5, offset=-1, name="scaled")(images)
    with pytest.raises(ValueError, match=r"begins with 'scaled'.*which images"):
        prepare(tiny_deit(input_shape=(16, 16, 3), input_tensor=scaled))


def around(model):
    images = keras.Input(model.input_shape[1:])
    return keras.Model(images, model(images), name="around")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: "cait_s24_224", r"Expected a functional keras.Model.*'cait_s24_224'"),
        (lambda: None, "Expected a functional keras.Model.*None"),
        (lambda: keras.Model(), "Expected a functional keras.Model"),
        (
            lambda: keras_cait.separate_heads(tiny_deit(distilled=True)),
            "one input and one output.*2 outputs",
        ),
        (
            lambda: around(tiny_deit()),
            "'around', which contains .*Pass the inner model",
        ),
        (
            lambda: keras.Sequential([keras.Input((32, 32, 3)), tiny_deit()]),
            "not one that contains it.*Pass the inner model",
        ),
    ],
)
def test_models_that_cannot_be_exported_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        prepare(make())


@pytest.mark.parametrize("labels", ["abcdefghij", ["", *"bcdefghij"], list(range(10))])
def test_labels_that_are_not_names_are_refused(labels):
    with pytest.raises(ValueError, match="`labels` must be a list of names"):
        prepare(tiny_deit(), labels=labels)


@pytest.mark.parametrize(
    ("value", "message"),
    [(np.nan, r"pixels in \[0, 255\]"), (-1, "-1"), (256, "256"), (0.5, "by 255")],
)
def test_images_that_are_not_pixels_are_refused(value, message):
    found = prepare(tiny_deit(input_shape=(16, 16, 3)))
    with pytest.raises(ValueError, match=message):
        images_to_compare(found, np.full((1, 16, 16, 3), value))
