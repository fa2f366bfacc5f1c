"""The commands `keras-cait predict` and `keras-cait attend`."""

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from keras_cait.cli.images.image_paths import image_paths
from keras_cait.command_line.parameters import (
    Images,
    Json,
    Labels,
    Model,
    Overwrite,
    Size,
    Weights,
)
from keras_cait.command_line.target_file import PICTURES, check_target_file
from keras_cait.terminal.loading import loading


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
        from keras_cait.cli.images.classifier import load
        from keras_cait.cli.images.prediction import predictions

        loaded = load(model, weights=weights, labels=labels, image_size=image_size)
    _note_random(loaded.is_random, "classes")
    found = predictions(loaded, paths, top=top)
    if json_:
        return json.dumps(found)
    return "\n".join(_table(found))


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
        from keras_cait.cli.images.attention_picture import write_attention
        from keras_cait.cli.images.classifier import load

        loaded = load(model, weights=weights, image_size=image_size)
    _note_random(loaded.is_random, "attention")
    return write_attention(loaded, image, output, picture=picture)


def _note_random(is_random: bool, shown: str) -> None:
    """Says what a model with random weights shows: nothing about the image."""
    if is_random:
        sys.stderr.write(f"note: --weights none: random weights, so random {shown}\n")


def _table(found: Sequence[dict[str, Any]]) -> Iterator[str]:
    for row in found:
        yield row["image"]
        for best in row["classes"]:
            bar = "#" * round(20 * best["probability"])
            yield f"  {100 * best['probability']:5.1f} %  {bar:20}  {best['name']}"
