"""Conversion to ONNX refuses models that no file or runtime takes."""

import logging

import keras
import pytest

import keras_cait
from keras_cait.export.onnx_graph.conversion import check_size, convert
from tests.support.models.tiny_models import without_values


def test_an_operator_missing_in_onnx_is_named(caplog, capfd):
    inputs = keras.Input((4, 4, 3))
    x = keras.layers.Dense(8, activation="gelu")(inputs)
    outputs = keras.layers.GlobalAveragePooling2D()(x)
    with (
        caplog.at_level(logging.DEBUG),
        pytest.raises(ValueError, match="no operator Erfc"),
    ):
        convert(keras.Model(inputs, outputs), 18)
    # The converter's log would repeat it.
    assert [row for row in caplog.records if row.name.startswith("tf2onnx")] == []
    assert "Erfc" not in "".join(capfd.readouterr())


def test_a_model_of_more_than_2_gib_is_refused():
    with without_values():
        check_size(keras_cait.CaiT_M48(weights=None))
        with pytest.raises(ValueError, match=r"less than 2 GiB.*2\.4 GiB of weights"):
            check_size(keras_cait.DeiT3_H(weights=None))
