"""The command `keras-cait demo`."""

import contextlib
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from keras_cait.cli.demonstration.serving import served_page
from keras_cait.command_line.parameters import MODEL, Labels, Size, Weights
from keras_cait.terminal.loading import loading


def demo(
    model: Annotated[
        str, Parameter(help=f"{MODEL}, or a folder of export --format web")
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
            from keras_cait.models.published.model_source import (
                ModelSource,
                load_source,
            )

            source = ModelSource(
                name=model, weights=weights, labels=labels, image_size=image_size
            )
            loaded = load_source(source)
        write_page(loaded, folder, runtime=runtime)

    page = served_page(model, image=image, port=port, flags=flags, write=write)
    with page as (server, address), contextlib.suppress(KeyboardInterrupt):
        sys.stdout.write(f"{address} shows {model} until Ctrl-C\n")
        sys.stdout.flush()
        server.serve_forever()
    return ""
