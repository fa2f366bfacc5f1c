"""The command line of exports: its flags, and what each format knows of them."""

import argparse
import importlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from keras_cait.exit_code import exit_code_of
from keras_cait.export.pipeline.model_source import ModelSource, load_source
from keras_cait.export.pipeline.output_paths import check_target
from keras_cait.export.pipeline.report import ExportReport


@dataclass(frozen=True, kw_only=True)
class Format:
    """What can be said to an exporter besides what all know.

    Attributes:
        flags: By their names, which its arguments have too.
        precisions: That it can write.
        suffix: Of its file's name; None where it writes a folder.
    """

    flags: tuple[str, ...]
    suffix: str | None
    precisions: tuple[str, ...] = ("float32",)


FORMATS = {
    "saved_model": Format(flags=("top", "version"), suffix=None),
    "tflite": Format(
        flags=(
            *("precision", "representative", "tolerance", "keep_anyway"),
            "overwrite",
        ),
        suffix=".tflite",
        precisions=("float32", "float16", "dynamic", "int8"),
    ),
    "onnx": Format(flags=("opset", "overwrite"), suffix=".onnx"),
}


def exporter(format: str) -> Callable[..., ExportReport]:
    """The function `to_FORMAT`, of the module of that name."""
    module = importlib.import_module(f"keras_cait.export.to_{format}")
    return getattr(module, f"to_{format}")


def main(arguments: Sequence[str] | None = None, *, description: str = "") -> int:
    """Runs the command line.

    Args:
        arguments: What stands behind the program's name; None for `sys.argv`.
        description: What `--help` opens with.

    Returns:
        0, or an exit code of `exit_code_of` after one line on stderr.

    """
    given = _parser(description).parse_args(arguments)

    def work() -> str:
        check_flags(given)
        return json.dumps(run(given).to_dict())

    flags = [name for name in (*_FLAGS, *_FLAGS_OF_SOME) if name.startswith("--")]
    return exit_code_of(work, flags=flags)


def check_flags(given: argparse.Namespace) -> None:
    """Refuses flags that the format has no use for.

    Raises:
        ValueError: If there is one; what is possible is said.

    """
    name, chosen = given.format, FORMATS[given.format]
    wanted = getattr(given, "precision", "float32")
    if wanted not in chosen.precisions:
        raise ValueError(
            f"--format {name} knows --precision {' or '.join(chosen.precisions)}. "
            f"Received: {wanted}, which --format tflite knows."
        )
    every = {flag for row in FORMATS.values() for flag in row.flags}
    known = {"precision", *chosen.flags}
    extra = [_flag(name) for name in vars(given) if name in every and name not in known]
    if extra:
        flags = ", ".join(map(_flag, chosen.flags))
        raise ValueError(f"--format {name} knows {flags}. Received: {', '.join(extra)}")
    if "representative" in given and wanted != "int8":
        raise ValueError(
            f"--representative is for --precision int8. Received: --precision {wanted}"
        )
    if "representative" not in given and wanted == "int8":
        raise ValueError(
            "--precision int8 needs --representative DIR, a folder of images such as "
            "the model will see. Received: none"
        )


def _flag(argument: str) -> str:
    return "--" + argument.replace("_", "-")


def run(given: argparse.Namespace) -> ExportReport:
    """Does what a command line asks for.

    Raises:
        ValueError: If the model, its weights or a setting do not fit.
        OSError: If a file cannot be read or written.
        ImportError: If a package is missing.

    """
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
    options = {flag: getattr(given, flag) for flag in chosen.flags if flag in given}
    target = given.output
    if chosen.suffix is None:
        target = target / str(options.get("version", 1))
    # Before the model, whose weights may take minutes to come.
    check_target(
        target, suffix=chosen.suffix, overwrite=options.get("overwrite", False)
    )
    found = load_source(source)
    return exporter(given.format)(
        found.model,
        given.output,
        labels=found.labels,
        weights=found.weights,
        images=given.images,
        **options,
    )


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {message}\n")


_FLAGS: dict[str, dict[str, Any]] = {
    "model": {"metavar": "MODEL", "help": "a builder's or timm's name, or .keras file"},
    "--format": {"required": True, "choices": tuple(FORMATS), "help": "of the export"},
    "--output": {
        "required": True,
        "type": Path,
        "metavar": "PATH",
        "help": "the file; for saved_model the folder of its versions",
    },
    "--weights": {
        "metavar": "W",
        "help": "imagenet (default), none for random ones, a file, or hf://owner/repo",
    },
    "--classes": {
        "type": int,
        "metavar": "N",
        "help": "as the weights have, or labels",
    },
    "--labels": {
        "type": Path,
        "metavar": "FILE",
        "help": "the name of a class on each line; those that the model keeps",
    },
    "--mean": {
        "type": float,
        "nargs": 3,
        "metavar": "M",
        "help": "of each channel of images in [0, 1], as the weights say",
    },
    "--std": {
        "type": float,
        "nargs": 3,
        "metavar": "S",
        "help": "standard deviation likewise",
    },
    "--image-size": {"type": int, "metavar": "S", "help": "side, the model's own"},
    "--images": {
        "type": Path,
        "metavar": "DIR",
        "help": "images to compare on, instead of photographs of scikit-learn",
    },
}
_FLAGS_OF_SOME: dict[str, dict[str, Any]] = {
    "--precision": {
        "choices": FORMATS["tflite"].precisions,
        "help": "of weights and activations (default: float32)",
    },
    "--representative": {
        "type": Path,
        "metavar": "DIR",
        "help": "images such as the model will see, for --precision int8",
    },
    "--tolerance": {
        "type": float,
        "metavar": "X",
        "help": "largest difference from Keras, as a part of the largest output",
    },
    "--keep-anyway": {
        "action": "store_true",
        "help": "keep an export that differs by more; its report says so",
    },
    "--opset": {"type": int, "metavar": "N", "help": "of operators (default: 18)"},
    "--top": {"type": int, "metavar": "K", "help": "classes named (default: 5)"},
    "--version": {"type": int, "metavar": "N", "help": "of the model (default: 1)"},
    "--overwrite": {"action": "store_true", "help": "replace a file"},
}


def _parser(description: str) -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m keras_cait.export",
        description=description,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for flag, settings in _FLAGS.items():
        parser.add_argument(flag, **settings)
    for flag, settings in _FLAGS_OF_SOME.items():
        names = [
            name
            for name, row in FORMATS.items()
            if flag.removeprefix("--").replace("-", "_") in row.flags
        ]
        settings = {**settings, "help": f"{', '.join(names)}: {settings['help']}"}
        parser.add_argument(flag, default=argparse.SUPPRESS, **settings)
    return parser
