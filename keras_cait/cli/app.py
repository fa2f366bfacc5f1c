"""Commands of `keras-cait`, with their flags.

Keras and TensorFlow are imported by a command that needs them, when it runs, so that
help, version and list answer at once.
"""

import contextlib
import fnmatch
import json
import sys
from collections.abc import Iterator, Sequence
from inspect import signature
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import CycloptsError, Parameter

import keras_cait
from keras_cait.cli.benchmarks import benchmark
from keras_cait.cli.demonstration.serving import served_page
from keras_cait.cli.exports.command import EXPORT
from keras_cait.cli.image_paths import image_paths
from keras_cait.cli.target_file import CHECKPOINTS, PICTURES, check_target_file
from keras_cait.cli.training import COMMANDS
from keras_cait.command_line.exit_code import exit_code_of
from keras_cait.command_line.flags import command_app
from keras_cait.command_line.loading import loading
from keras_cait.training.publishing.run_files import saved_card, saved_model
from keras_cait.variants import VARIANTS

_DESCRIPTION = "CaiT and DeiT for Keras 3: predictions, pictures, training and exports."

app = command_app("keras-cait", _DESCRIPTION, version=keras_cait.__version__)
app.register_install_completion_command()

Images = Annotated[
    list[Path], Parameter(help="images, or folders of images", negative=())
]
_MODEL = "a builder's or timm's name, or a .keras file"
Model = Annotated[str, Parameter(help=_MODEL, alias="-m")]
Weights = Annotated[
    str | None,
    Parameter(help="imagenet (default), none for random ones, a file, hf://owner/repo"),
]
Labels = Annotated[Path | None, Parameter(help="text file with one class name a line")]
Size = Annotated[
    int | None, Parameter(help="side of the images in pixels, if not the model's own")
]
Overwrite = Annotated[bool, Parameter(help="replace an existing file", negative=())]
Json = Annotated[bool, Parameter(name="--json", help="print JSON", negative=())]


@app.command(name="list")
def list_models(pattern: str = "*", /) -> str:
    """List the models with published weights.

    Args:
        pattern: wildcards of a shell, for timm's names or those of the builders

    """
    rows = [
        (row.timm_name, variant.name, f"{row.image_size} pixels", f"hf://{row.hub_id}")
        for variant in VARIANTS.values()
        for row in variant.checkpoints
        if any(fnmatch.fnmatch(n, pattern) for n in (row.timm_name, variant.name))
    ]
    if not rows:
        raise ValueError(
            "Expected a pattern that fits a name of timm or of a builder, such as "
            f"'cait*' or 'DeiT_S*'. Received: {pattern!r}"
        )
    return "\n".join(_columns(sorted(rows)))


@app.command
def info(
    model: Annotated[str, Parameter(help=_MODEL)], /, *, json_: Json = False
) -> str:
    """Print sizes, operations, preprocessing and source of a model."""
    with loading(f"Keras and {model}"):
        from keras_cait.cli.information import information

        found = information(model)
    if json_:
        return json.dumps(found)
    return "\n".join(_columns([(name, str(value)) for name, value in found.items()]))


@app.command
def predict(
    images: Images,
    /,
    *,
    model: Model,
    weights: Weights = None,
    labels: Labels = None,
    image_size: Size = None,
    top: Annotated[
        int | None, Parameter(help="number of classes of each image, if not 5")
    ] = None,
    json_: Json = False,
) -> str:
    """Print the most probable classes of images."""
    paths = image_paths(images)
    with loading(f"Keras and {model}"):
        from keras_cait.cli.classifier import load
        from keras_cait.cli.prediction import predictions

        loaded = load(model, weights=weights, labels=labels, image_size=image_size)
    found = predictions(loaded, paths, top=top)
    if json_:
        return json.dumps(found)
    return "\n".join(_table(found))


@app.command
def attend(
    image: Annotated[Path, Parameter(help="a photograph")],
    /,
    *,
    model: Model,
    output: Annotated[Path, Parameter(help="the picture, .png or .svg", alias="-o")],
    picture: Annotated[
        Literal["heads", "overlay", "rollout"],
        Parameter(
            help="each head of the last blocks, their mean over the image, or the "
            "attention through all blocks"
        ),
    ] = "heads",
    weights: Weights = None,
    image_size: Size = None,
    overwrite: Overwrite = False,
) -> str:
    """Draw the attention of the class token to an image."""
    check_target_file(output, PICTURES, overwrite=overwrite)
    if not image.is_file():
        raise FileNotFoundError(f"No image at {image}")
    with loading(f"Keras and {model}"):
        from keras_cait.cli.attention_picture import write_attention
        from keras_cait.cli.classifier import load

        loaded = load(model, weights=weights, image_size=image_size)
    return write_attention(loaded, image, output, picture=picture)


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
        from keras_cait.cli.conversion import convert as write

        written = write(source, target, name=model)
    return f"{target}: {written.name}, {written.count_params():,} parameters"


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
        from keras_cait.training.publishing.upload import check_repository, upload

        name = check_repository(repository, private=private, overwrite=overwrite)
        model = load_saved_model(path)
    address = upload(model, run, name, private=private)
    return f"{path}: uploaded to {address}"


@app.command
def demo(
    model: Annotated[
        str, Parameter(help=f"{_MODEL}, or a folder of export --format web")
    ] = "cait_xxs24_224",
    /,
    *,
    image: Annotated[
        Path | None, Parameter(help="a photograph to classify when the page opens")
    ] = None,
    port: Annotated[int, Parameter(help="port of this machine, 0 for any")] = 8000,
    weights: Weights = None,
    labels: Labels = None,
    image_size: Size = None,
    runtime: Annotated[
        Path | None,
        Parameter(help="copy of the npm package onnxruntime-web (default: npm's)"),
    ] = None,
) -> str:
    """Serve a page that classifies images in the browser, until Ctrl-C."""
    of_a_model = {
        "--weights": weights,
        "--labels": labels,
        "--image-size": image_size,
        "--runtime": runtime,
    }
    flags = [flag for flag, value in of_a_model.items() if value is not None]

    def write(folder: Path) -> None:
        with loading(f"Keras and {model}"):
            from keras_cait.cli.demonstration.model_page import write_page
            from keras_cait.models.published.model_source import ModelSource

            source = ModelSource(
                name=model, weights=weights, labels=labels, image_size=image_size
            )
            write_page(source, folder, runtime=runtime)

    page = served_page(model, image=image, port=port, flags=flags, write=write)
    with page as (server, address), contextlib.suppress(KeyboardInterrupt):
        sys.stdout.write(f"{address} shows {model} until Ctrl-C\n")
        sys.stdout.flush()
        server.serve_forever()
    return ""


app.command(EXPORT)
for _command in COMMANDS:
    app.command(_command)
app.command(benchmark)


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
        "--" + row.name.replace("_", "-")
        for row in signature(run).parameters.values()
        if row.kind is row.KEYWORD_ONLY
    ]
    return exit_code_of(lambda: run(*bound.args, **bound.kwargs) or 0, flags=flags)


def _columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Lines with their columns below each other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()


def _table(found: Sequence[dict[str, Any]]) -> Iterator[str]:
    for row in found:
        yield row["image"]
        for best in row["classes"]:
            bar = "#" * round(20 * best["probability"])
            yield f"  {100 * best['probability']:5.1f} %  {bar:20}  {best['name']}"
