"""Command line of the exports: flags, their checks, and the exporter of each format."""

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from keras_cait.command_line.exit_code import exit_code_of
from keras_cait.export.pipeline.output_paths import check_target
from keras_cait.export.pipeline.outputs import DEFAULT_OUTPUTS, OUTPUTS, check_outputs
from keras_cait.export.pipeline.report import ExportReport
from keras_cait.export.to_onnx import OnnxFormat, to_onnx
from keras_cait.export.to_saved_model import SavedModelFormat, to_saved_model
from keras_cait.export.to_tflite import PRECISIONS, TfliteFormat, to_tflite
from keras_cait.export.to_web import WebFormat, to_web
from keras_cait.models.published.model_source import ModelSource, load_source


@dataclass(frozen=True, kw_only=True)
class FormatOptions:
    """An export format on the command line."""

    export: Callable[..., ExportReport]
    suffix: str | None  # of the file's name; None for a folder
    arguments: tuple[str, ...]  # that not all exporters have
    precisions: tuple[str, ...] = ("float32",)
    has_outputs: bool = True  # to choose from


FORMATS = {
    "saved_model": FormatOptions(
        export=to_saved_model,
        suffix=SavedModelFormat.suffix,
        arguments=("top", "version"),
    ),
    "tflite": FormatOptions(
        export=to_tflite,
        suffix=TfliteFormat.suffix,
        arguments=(
            *("precision", "representative", "tolerance", "keep_anyway"),
            "overwrite",
        ),
        precisions=PRECISIONS,
    ),
    "onnx": FormatOptions(
        export=to_onnx, suffix=OnnxFormat.suffix, arguments=("opset", "overwrite")
    ),
    "web": FormatOptions(
        export=to_web,
        suffix=WebFormat.suffix,
        arguments=("runtime",),
        has_outputs=False,
    ),
}
_FORMAT_ARGUMENTS = {name for row in FORMATS.values() for name in row.arguments}


def main(
    arguments: Sequence[str] | None = None,
    *,
    format: str | None = None,
    prog: str | None = None,
    description: str = "",
) -> int:
    """Runs the command line; returns 0, or an exit code of `exit_code_of`.

    `format` is that of a program with only one; None for a flag `--format`.
    """
    given = _parser(format, prog, description).parse_args(arguments)

    def work() -> str:
        check_flags(given)
        return json.dumps(run(given).to_dict())

    names = (vars(given).keys() | _FORMAT_ARGUMENTS) - {"model"}
    return exit_code_of(work, flags=[_flag(name) for name in sorted(names)])


def check_flags(given: argparse.Namespace) -> None:
    """Raises `ValueError` if the format does not support a flag or needs another."""
    check_outputs(given.outputs)
    name, chosen = given.format, FORMATS[given.format]
    if not chosen.has_outputs and tuple(given.outputs) != DEFAULT_OUTPUTS:
        raise ValueError(
            f"--format {name} has outputs of its own. Leave --outputs out. Received: "
            f"--outputs {' '.join(given.outputs)}"
        )
    precision = getattr(given, "precision", "float32")
    if precision not in chosen.precisions:
        raise ValueError(
            f"--format {name} accepts --precision {' or '.join(chosen.precisions)}. "
            f"Received: {precision}, which --format tflite accepts."
        )
    extra = vars(given).keys() & _FORMAT_ARGUMENTS - {"precision", *chosen.arguments}
    if extra:
        accepted = ", ".join(map(_flag, chosen.arguments))
        received = ", ".join(_flag(name) for name in vars(given) if name in extra)
        raise ValueError(f"--format {name} accepts {accepted}. Received: {received}")
    if "representative" in given and precision != "int8":
        raise ValueError(
            "--representative is for --precision int8. Received: --precision "
            f"{precision}"
        )
    if "representative" not in given and precision == "int8":
        raise ValueError(
            "--precision int8 needs --representative DIR, a folder of images such as "
            "the model will see. Received: none"
        )


def run(given: argparse.Namespace) -> ExportReport:
    """Exports the model of a command line."""
    source = ModelSource(
        name=given.model,
        weights=given.weights,
        classes=given.classes,
        image_size=given.image_size,
        labels=given.labels,
        mean=given.mean and tuple(given.mean),
        std=given.std and tuple(given.std),
    )
    chosen = FORMATS[given.format]
    options = {name: getattr(given, name) for name in chosen.arguments if name in given}
    if chosen.has_outputs:
        options["outputs"] = given.outputs
    target = given.output
    if "version" in chosen.arguments:
        target = target / str(options.get("version", 1))
    # Before the model is loaded, because a download of weights may take minutes.
    check_target(
        target, suffix=chosen.suffix, overwrite=options.get("overwrite", False)
    )
    loaded = load_source(source)
    return chosen.export(
        loaded.model,
        given.output,
        labels=loaded.labels,
        weights=loaded.weights,
        images=given.images,
        **options,
    )


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {message}\n")


def _parser(
    format: str | None, prog: str | None, description: str
) -> argparse.ArgumentParser:
    parser = _Parser(
        prog=prog,
        description=description,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )

    def add(name: str, help: str, **settings: Any) -> None:
        """Adds a flag, unless it is of other formats."""
        formats = [key for key, row in FORMATS.items() if name in row.arguments]
        if format is not None and formats and format not in formats:
            return
        if formats:
            settings["default"] = argparse.SUPPRESS
        if formats and format is None:
            help = f"{', '.join(formats)}: {help}"
        parser.add_argument(_flag(name), help=help, **settings)

    model = "name of a builder or of timm, or a .keras file"
    parser.add_argument("model", metavar="MODEL", help=model)
    if format is None:
        add("format", "format of the export", required=True, choices=tuple(FORMATS))
    else:
        parser.set_defaults(format=format)
    output = "target file; for saved_model the folder of the versions, for web a folder"
    add("output", output, required=True, type=Path, metavar="PATH")
    outputs = f"one or more of {', '.join(OUTPUTS)} (default: probabilities)"
    options: dict[str, Any] = {"nargs": "+", "choices": OUTPUTS, "metavar": "NAME"}
    add("outputs", outputs, default=DEFAULT_OUTPUTS, **options)
    weights = "imagenet (default), none for random weights, a file, or hf://owner/repo"
    add("weights", weights, metavar="W")
    classes = "number of classes (default: that of the weights or labels)"
    add("classes", classes, type=int, metavar="N")
    labels = "text file with one class name a line (default: the model's own)"
    add("labels", labels, type=Path, metavar="FILE")
    mean = "channel means of images in [0, 1] (default: those of the weights)"
    add("mean", mean, type=float, nargs=3, metavar="M")
    std = "channel standard deviations (default: those of the weights)"
    add("std", std, type=float, nargs=3, metavar="S")
    size = "side of the images in pixels (default: the model's own)"
    add("image_size", size, type=int, metavar="S")
    images = "images to compare on (default: photographs of scikit-learn)"
    add("images", images, type=Path, metavar="DIR")
    precision = "of weights and activations (default: float32)"
    add("precision", precision, choices=PRECISIONS)
    representative = "images such as the model will see, for --precision int8"
    add("representative", representative, type=Path, metavar="DIR")
    tolerance = "largest difference from Keras, relative to an output's largest value"
    add("tolerance", tolerance, type=float, metavar="X")
    keep = "keep an export that differs by more; its report says so"
    add("keep_anyway", keep, action="store_true")
    add("opset", "version of the operators (default: 18)", type=int, metavar="N")
    add("top", "number of classes in a response (default: 5)", type=int, metavar="K")
    add("version", "number of the version (default: 1)", type=int, metavar="N")
    runtime = "copy of the npm package onnxruntime-web (default: npm installs it)"
    add("runtime", runtime, type=Path, metavar="DIR")
    add("overwrite", "replace an existing file", action="store_true")
    return parser


def _flag(argument: str) -> str:
    return "--" + argument.replace("_", "-")
