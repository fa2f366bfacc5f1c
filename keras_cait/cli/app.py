"""Commands of `keras-cait`, with their flags.

Help, version and list answer at once: the module of a command is imported when the
command is named, and Keras and TensorFlow when it runs.
"""

import fnmatch
import json
import sys
from collections.abc import Iterator, Sequence
from inspect import signature
from pathlib import Path
from typing import Annotated

from cyclopts import CycloptsError, Parameter

import keras_cait
from keras_cait.command_line.exit_code import exit_code_of
from keras_cait.command_line.flags import command_app, flag
from keras_cait.command_line.parameters import MODEL, Json, Overwrite
from keras_cait.command_line.target_file import CHECKPOINTS, check_target_file
from keras_cait.terminal.loading import loading
from keras_cait.training.publishing.run_files import saved_card, saved_model
from keras_cait.variants import VARIANTS

_DESCRIPTION = "CaiT and DeiT for Keras 3: predictions, pictures, training and exports."

app = command_app("keras-cait", _DESCRIPTION, version=keras_cait.__version__)
app.register_install_completion_command()


@app.command(name="list")
def list_models(pattern: str = "*", /) -> str:
    """List the models with published weights.

    Args:
        pattern: a part of a name of timm or of a builder, or all of it with wildcards

    """
    whole = (pattern if {*"*?["} & {*pattern} else f"*{pattern}*").lower()
    rows = [
        (row.timm_name, variant.name, f"{row.image_size} pixels", f"hf://{row.hub_id}")
        for variant in VARIANTS.values()
        for row in variant.checkpoints
        if any(
            fnmatch.fnmatchcase(name.lower(), whole)
            for name in (row.timm_name, variant.name)
        )
    ]
    if not rows:
        raise ValueError(
            "Expected a part of a name of timm or of a builder, such as xxs24, or a "
            f"pattern such as 'cait*_384'. Received: {pattern!r}"
        )
    return "\n".join(_columns(sorted(rows)))


@app.command
def info(
    model: Annotated[str, Parameter(help=MODEL)], /, *, json_: Json = False
) -> str:
    """Print sizes, operations, preprocessing and source of a model."""
    with loading(f"Keras and {model}"):
        from keras_cait.cli.information import information

        found = information(model)
    if json_:
        return json.dumps(found)
    return "\n".join(_columns([(name, _plain(value)) for name, value in found.items()]))


@app.command
def convert(
    source: Annotated[
        str, Parameter(help=f"file that ends in {', '.join(CHECKPOINTS)}, or hf://...")
    ],
    target: Annotated[Path, Parameter(help="file with one of these endings")],
    /,
    *,
    model: Annotated[
        str | None, Parameter(help="model of a .weights.h5 file", alias="-m")
    ] = None,
    overwrite: Overwrite = False,
) -> str:
    """Convert a checkpoint between Keras, timm (.safetensors), and torch (.pth)."""
    check_target_file(target, CHECKPOINTS, overwrite=overwrite)
    with loading(f"Keras and {source}"):
        from keras_cait.cli.conversion import model_of, write
        from keras_cait.terminal.steps import begin_step, steps_shown

        loaded = model_of(source, name=model)
    with steps_shown():
        begin_step(f"writing {target}")
        write(loaded, target)
    return f"{target}: {loaded.name}, {loaded.count_params():,} parameters"


@app.command
def push(
    run: Annotated[Path, Parameter(help="folder of a finished run")],
    repository: Annotated[str, Parameter(help="hf://owner/name")],
    /,
    *,
    private: Annotated[
        bool,
        Parameter(help="create the repository for its owner alone", negative=()),
    ] = False,
    overwrite: Annotated[
        bool,
        Parameter(help="add a commit to a repository that has files", negative=()),
    ] = False,
) -> str:
    """Upload the model of a run and its card to the Hugging Face hub."""
    path = saved_model(run)
    saved_card(run)
    with loading(f"Keras and {path}"):
        from keras_cait.models.published.saved_models import load_saved_model
        from keras_cait.terminal.steps import steps_shown
        from keras_cait.training.publishing.upload import check_repository, upload

        name = check_repository(repository, private=private, overwrite=overwrite)
        model = load_saved_model(path)
    with steps_shown():
        address = upload(model, run, name, private=private)
    return f"{path}: uploaded to {address}"


COMMANDS = {
    "predict": ("images.command:predict", "Print the most probable classes of images."),
    "attend": (
        "images.command:attend",
        "Draw the attention of the class token to an image.",
    ),
    "demo": (
        "demonstration.command:demo",
        "Serve a page that classifies images in the browser, until Ctrl-C.",
    ),
    "export": (
        "exports.command:EXPORT",
        "Write a model for another runtime: SavedModel, TFLite, ONNX, page for "
        "browsers.",
    ),
    "distill": (
        "training:DISTILL",
        "Train a student on labels and on a teacher, which is trained first if need "
        "be.",
    ),
    "train": ("training:TRAIN", "Train a DeiT, DeiT III or CaiT on labels alone."),
    "finetune": (
        "training:FINETUNE",
        "Fine-tune a checkpoint on other images or at another size.",
    ),
    "evaluate": (
        "training:EVALUATE",
        "Measure a model on images: top-1 and top-5 accuracy, and speed.",
    ),
    "benchmark": (
        "benchmarks:benchmark",
        "Measure the speed of a model on this machine.",
    ),
}
"""Commands in files of their own, and the first lines of their docstrings."""
for _name, (_place, _summary) in COMMANDS.items():
    app.command(f"keras_cait.cli.{_place}", name=_name, help=_summary)


def main(
    arguments: Sequence[str] | None = None,
    *,
    command: Sequence[str] = (),
    description: str | None = None,
) -> int:
    """Runs the command; returns its exit code: 0, or as of `exit_code_of`.

    `arguments` are None for `sys.argv`; `command` is put in front of them, and
    `description` in front of its help.
    """
    tokens = [*command, *(sys.argv[1:] if arguments is None else arguments)]
    if description and not {"-h", "--help"}.isdisjoint(tokens):
        sys.stdout.write(f"{description}\n")
    try:
        run, bound, _ = app.parse_args(tokens)
    except CycloptsError as error:
        program = " ".join(["keras-cait", *(error.command_chain or ())])
        sys.stderr.write(f"error: {error} See {program} --help.\n")
        return 2
    flags = [
        flag(row.name)
        for row in signature(run).parameters.values()
        if row.kind is row.KEYWORD_ONLY
    ]
    return exit_code_of(lambda: run(*bound.args, **bound.kwargs) or 0, flags=flags)


def _plain(value: object) -> str:
    """A value as text, a list without its brackets and quotes."""
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Lines with their columns below each other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()
