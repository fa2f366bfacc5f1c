"""A model with its own mean, std and classes predicts the same in every format.

The tests read mean, std and labels from the export, as its users do.
"""

import json

import numpy as np
import pytest
import tensorflow as tf

import keras_cait
from keras_cait import Preprocessing
from keras_cait.data.images.evaluation_transform import EvaluationTransform
from keras_cait.export import to_onnx, to_saved_model, to_tflite
from keras_cait.export.pipeline.photographs import photographs
from keras_cait.export.tflite.metadata import read_metadata
from keras_cait.export.tflite.runtime import TfliteRuntime
from keras_cait.optional_packages import import_optional
from tests.support.export.samples import plausible
from tests.support.models.tiny_models import tiny_deit

HALF = Preprocessing(
    mean=(0.5,) * 3, std=(0.5,) * 3, crop_pct=0.8, interpolation="bilinear"
)
NAMES = ("ant", "bee", "cát")
PHOTOGRAPH = photographs((60, 80), number=1)[0].astype("uint8")

BOTH = pytest.mark.parametrize(
    "include_preprocessing", [False, pytest.param(True, marks=pytest.mark.slow)]
)


def made(include_preprocessing):
    return plausible(
        tiny_deit(
            input_shape=(16, 16, 3),
            depth=1,
            classes=3,
            class_names=NAMES,
            preprocessing=HALF,
            include_preprocessing=include_preprocessing,
        )
    )


def seen():
    """What the model is shown of the photograph, pixels in [0, 255]."""
    view = EvaluationTransform(
        image_size=(16, 16), crop_pct=0.8, interpolation="bilinear", channels=3
    )
    return view(tf.constant(PHOTOGRAPH)).numpy()[None].astype("float32")


def expected(model):
    """Its probabilities of the photograph, which ImageNet's statistics would miss."""
    pixels = seen()
    found = model.predict_on_batch(
        keras_cait.preprocess_input(pixels, preprocessing=model)
    )
    by_hand = made(False).predict_on_batch((pixels / 255 - 0.5) / 0.5)
    np.testing.assert_allclose(found, by_hand, atol=1e-5)
    wrong = made(False).predict_on_batch(keras_cait.preprocess_input(pixels))
    assert np.abs(found - wrong).max() > 0.01
    return found


@pytest.mark.slow
@pytest.mark.parametrize("include_preprocessing", [False, True])
def test_saved_model(include_preprocessing, tmp_path):
    model = made(include_preprocessing)
    report = to_saved_model(model, tmp_path, top=3, verbose=False)
    served = tf.saved_model.load(str(report.path)).signatures["serving_default"]
    found = served(images=tf.constant([tf.io.encode_png(PHOTOGRAPH).numpy()]))
    scores = expected(model)[0]
    order = np.argsort(-scores)
    named = [name.decode() for name in found["classes"].numpy()[0]]
    assert named == [NAMES[index] for index in order]
    np.testing.assert_allclose(found["scores"][0], scores[order], atol=1e-5)
    assert report.labels == NAMES


@BOTH
def test_onnx(include_preprocessing, tmp_path):
    model = made(include_preprocessing)
    report = to_onnx(model, tmp_path / "a.onnx", verbose=False)
    session = import_optional("onnxruntime", "export").InferenceSession(
        str(report.path)
    )
    said = session.get_modelmeta().custom_metadata_map
    pixels = seen()
    if said["input_range"] != "[0, 255]":
        mean, std = (np.array(json.loads(said[key])) for key in ("mean", "std"))
        pixels = ((pixels / 255 - mean) / std).astype("float32")
    (found,) = session.run(None, {"images": pixels})
    np.testing.assert_allclose(found, expected(model), atol=1e-5)
    assert tuple(json.loads(said["labels"])) == NAMES
    assert json.loads(said["crop_pct"]) == 0.8
    assert said["interpolation"] == "bilinear"


@BOTH
def test_tflite(include_preprocessing, tmp_path):
    model = made(include_preprocessing)
    report = to_tflite(model, tmp_path / "a.tflite", verbose=False)
    said = read_metadata(report.path)
    pixels = (seen() - np.array(said.mean)) / np.array(said.std)
    found = TfliteRuntime(report.path, 1)(pixels.astype("float32"))
    np.testing.assert_allclose(found["probabilities"], expected(model), atol=1e-5)
    assert said.labels == NAMES


def test_given_labels_override_the_class_names_of_the_model(tmp_path):
    labels = ["x", "y", "z"]
    path = tmp_path / "a.tflite"
    report = to_tflite(made(True), path, labels=labels, verbose=False)
    assert read_metadata(report.path).labels == report.labels == tuple(labels)
