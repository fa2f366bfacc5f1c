"""Flags of each export format."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from keras_cait.command_line.flags import flag, flag_names, option
from keras_cait.command_line.parameters import WEIGHTS
from keras_cait.training.settings.weights_source import Channels

Format = Literal["saved_model", "tflite", "onnx", "web"]
Output = Literal["probabilities", "logits", "features", "heads", "class_attention"]
Precision = Literal["float32", "float16", "dynamic", "int8"]


@dataclass(frozen=True, kw_only=True)
class ExportSettings:
    """Flags of every format."""

    group: ClassVar[str] = "Model"

    weights: str | None = option(None, WEIGHTS)
    classes: int | None = option(
        None, "number of classes (default: that of the weights or labels)"
    )
    labels: Path | None = option(
        None, "text file with one class name a line (default: the model's own)"
    )
    mean: Channels | None = option(
        None, "channel means of images in [0, 1] (default: those of the weights)"
    )
    std: Channels | None = option(
        None, "channel standard deviations (default: those of the weights)"
    )
    image_size: int | None = option(
        None, "side of the images in pixels (default: the model's own)"
    )
    images: Path | None = option(
        None, "folder of images to compare on (default: photographs of scikit-learn)"
    )


@dataclass(frozen=True, kw_only=True)
class OutputSettings(ExportSettings):
    """Flags of a format whose outputs can be chosen."""

    group: ClassVar[str] = "SavedModel, TFLite and ONNX"

    outputs: tuple[Output, ...] = option(("probabilities",), "one or more outputs")


@dataclass(frozen=True, kw_only=True)
class FileSettings(OutputSettings):
    """Flags of a format that is one file."""

    group: ClassVar[str] = "TFLite and ONNX"

    overwrite: bool = option(False, "replace an existing file")


@dataclass(frozen=True, kw_only=True)
class SavedModelSettings(OutputSettings):
    """Flags of a SavedModel."""

    group: ClassVar[str] = "SavedModel"

    top: int = option(5, "number of classes in a response")
    version: int = option(1, "number of the version, a folder in the output")


@dataclass(frozen=True, kw_only=True)
class TfliteSettings(FileSettings):
    """Flags of a TFLite file."""

    group: ClassVar[str] = "TFLite"

    precision: Precision = option("float32", "of weights and activations")
    representative: Path | None = option(
        None, "folder of images such as the model will see, for --precision int8"
    )
    tolerance: float | None = option(
        None,
        "largest difference from Keras, relative to an output's largest value "
        "(default: that of the precision)",
    )
    keep_anyway: bool = option(
        False, "keep a file that differs by more; its report says so"
    )

    def __post_init__(self) -> None:
        if self.representative is not None and self.precision != "int8":
            raise ValueError(
                "--representative is for --precision int8. Received: --precision "
                f"{self.precision}"
            )
        if self.representative is None and self.precision == "int8":
            raise ValueError(
                "--precision int8 needs --representative DIR, a folder of images such "
                "as the model will see. Received: none"
            )


@dataclass(frozen=True, kw_only=True)
class OnnxSettings(FileSettings):
    """Flags of an ONNX file."""

    group: ClassVar[str] = "ONNX"

    opset: int = option(18, "version of the operators, 13 to 18")


@dataclass(frozen=True, kw_only=True)
class WebSettings(ExportSettings):
    """Flags of a page for browsers."""

    group: ClassVar[str] = "Page"

    runtime: Path | None = option(
        None, "copy of the npm package onnxruntime-web (default: npm installs it)"
    )


@dataclass(frozen=True, kw_only=True)
class AllSettings(SavedModelSettings, TfliteSettings, OnnxSettings, WebSettings):
    """The flags of all formats, for the command line."""


SETTINGS: dict[Format, type[ExportSettings]] = {
    "saved_model": SavedModelSettings,
    "tflite": TfliteSettings,
    "onnx": OnnxSettings,
    "web": WebSettings,
}
"""Flags of each format."""


def options_of(settings: ExportSettings) -> dict[str, object]:
    """The settings that not all formats have, which are arguments of the exporter."""
    names = _names(type(settings)) - _names(ExportSettings)
    return {name: getattr(settings, name) for name in sorted(names)}


def check_format(format: Format, given: dict[str, object]) -> None:
    """Raises `ValueError` if a flag was given that the format does not have."""
    accepted = flag_names(SETTINGS[format])
    foreign = [flag(name) for name in given if flag(name) not in accepted]
    if foreign:
        raise ValueError(
            f"--format {format} accepts {', '.join(accepted)}. Received: "
            f"{', '.join(foreign)}"
        )


def _names(settings_class: type) -> set[str]:
    return {field.name for field in dataclasses.fields(settings_class)}
