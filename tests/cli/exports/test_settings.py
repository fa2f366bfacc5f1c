"""Flags of the exports: those of each format are the arguments of its exporter."""

import dataclasses
import inspect
from typing import get_args

import pytest

from keras_cait.cli.exports.exporters import EXPORTERS
from keras_cait.cli.exports.settings import (
    SETTINGS,
    AllSettings,
    ExportSettings,
    Format,
    Output,
    Precision,
)
from keras_cait.export.pipeline.outputs import OUTPUTS
from keras_cait.export.to_onnx import OPSETS
from keras_cait.export.to_tflite import PRECISIONS
from keras_cait.models.published.model_source import ModelSource


def defaults(settings_class):
    return {field.name: field.default for field in dataclasses.fields(settings_class)}


@pytest.mark.parametrize("format", get_args(Format))
def test_flags_are_the_exporter_s_arguments_with_their_defaults(format):
    export, _ = EXPORTERS[format]
    arguments = inspect.signature(export).parameters
    own = {
        name: default
        for name, default in defaults(SETTINGS[format]).items()
        if name not in defaults(ExportSettings)
    }
    assert own == {name: arguments[name].default for name in own}
    of_all = {"labels", "images", "weights", "verbose"}
    positional = {"model", "path"}
    assert {*own} | of_all | positional == {*arguments}


def test_choices_are_those_of_the_exporters():
    assert get_args(Output) == OUTPUTS
    assert get_args(Precision) == PRECISIONS
    assert f"{OPSETS[0]} to {OPSETS[-1]}" in next(
        field.metadata["help"]
        for field in dataclasses.fields(AllSettings)
        if field.name == "opset"
    )


def test_every_format_has_flags_and_an_exporter():
    assert {*get_args(Format)} == {*SETTINGS} == {*EXPORTERS}
    every = set().union(*map(defaults, SETTINGS.values()))
    assert every == {*defaults(AllSettings)}
    source = {field.name for field in dataclasses.fields(ModelSource)} - {"name"}
    assert {*defaults(ExportSettings)} == source | {"images"}
