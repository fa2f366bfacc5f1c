"""Keras's own files: loaded completely, or refused with the model unchanged."""

import zipfile

import keras
import numpy as np
import pytest

import keras_cait
from tests.support.models.tiny_models import images, randomize, tiny_deit
from tests.support.weights.weight_checks import (
    assert_equal_weights,
    load_fails,
    weight_values,
    write_weights,
)

SUFFIXES = pytest.mark.parametrize("suffix", [".weights.h5", ".keras"])


def tiny(**overrides):
    return tiny_deit(**{"depth": 1, "distilled": True, **overrides})


@pytest.fixture
def file(suffix, tmp_path):
    """Path of the weights of a model of the same layout as `tiny()`."""
    path = tmp_path / f"model{suffix}"
    write_weights(randomize(tiny()), path)
    return path


@SUFFIXES
def test_round_trip(file):
    model = keras_cait.load_weights(tiny(), file)
    assert_equal_weights(model, weight_values(randomize(tiny())))


@SUFFIXES
def test_layers_without_weights_may_differ(file):
    model = tiny(
        drop_path_rate=0.5,
        dropout_rate=0.1,
        classifier_activation=None,
        include_preprocessing=True,
    )
    keras_cait.load_weights(model, file)
    assert_equal_weights(model, weight_values(randomize(tiny())))


@SUFFIXES
def test_a_trained_model_s_optimizer_is_not_loaded(suffix, tmp_path):
    trained = tiny()
    loss = "sparse_categorical_crossentropy"
    trained.compile("adamw", loss, metrics=["accuracy"], run_eagerly=True)
    trained.train_on_batch(images(2, 32, 32, 3), np.arange(2))
    path = tmp_path / f"model{suffix}"
    write_weights(trained, path)
    plain = tiny()
    keras_cait.load_weights(plain, path)
    assert_equal_weights(plain, weight_values(trained))
    other = tiny()
    other.compile(keras.optimizers.SGD(momentum=0.9), "mse")
    other.optimizer.build(other.trainable_variables)
    keras_cait.load_weights(other, path)
    assert_equal_weights(other, weight_values(trained))


@SUFFIXES
def test_a_compiled_model_loads_plain_weights(file):
    model = tiny()
    model.compile("adamw", "mse")
    model.optimizer.build(model.trainable_variables)
    keras_cait.load_weights(model, file)
    assert_equal_weights(model, weight_values(randomize(tiny())))


@SUFFIXES
@pytest.mark.parametrize(
    ("overrides", "messages"),
    [
        ({"classes": 7}, ["should be (7,) but is (10,)", "should be (32, 7)"]),
        ({"distilled": False}, ["left over: ", "distillation_token", "(1, 1, 32)"]),
        ({"depth": 2}, ["missing: ", "feed_forward_1", "self_attention_1"]),
        ({"embed_dim": 64}, ["class_token", "should be (1, 1, 64) but is (1, 1, 32)"]),
    ],
    ids=str,
)
def test_files_of_other_models_are_refused(file, overrides, messages):
    model = tiny(**overrides)
    with load_fails(model, "unchanged", f"Received: {file}", *messages):
        keras_cait.load_weights(model, file)


@SUFFIXES
@pytest.mark.parametrize("content", ["cut", "part lost", "empty", "foreign"])
def test_damaged_files_are_refused(file, suffix, content):
    whole = file.read_bytes()
    # HDF5 has no checksums, so only damage to its structure is seen.
    start = len(whole) // 2 if suffix == ".keras" else 200
    replacement = {
        "cut": whole[: len(whole) // 2],
        "part lost": whole[:start] + bytes(1000) + whole[start + 1000 :],
        "empty": b"",
        "foreign": b"<!doctype html>" * 100,
    }
    file.write_bytes(replacement[content])
    model = tiny()
    with load_fails(model, "Expected a complete", f"Received: {file}"):
        keras_cait.load_weights(model, file)


def test_an_archive_without_weights_is_refused(tmp_path):
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", "{}")
    model = tiny()
    with load_fails(model, "complete .keras file", str(path), "model.weights.h5"):
        keras_cait.load_weights(model, path)


def test_only_the_weights_of_an_archive_are_read(tmp_path):
    write_weights(randomize(tiny()), tmp_path / "whole.keras")
    with zipfile.ZipFile(tmp_path / "whole.keras") as archive:
        weights = archive.read("model.weights.h5")
    with zipfile.ZipFile(tmp_path / "model.keras", "w") as archive:
        archive.writestr("config.json", "nothing that could be built")
        archive.writestr("model.weights.h5", weights)
    model = keras_cait.load_weights(tiny(), tmp_path / "model.keras")
    assert_equal_weights(model, weight_values(randomize(tiny())))
