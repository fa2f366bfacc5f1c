"""Picture of a model's attention to an image."""

from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_cait.cli.images.classifier import ImageClassifier
from keras_cait.files import replace_when_written
from keras_cait.visualization import (
    attention_rollout,
    draw_overlays,
    draw_token_attention,
    token_attention,
)

_BLOCKS = 2  # the last ones, which CaiT has of class attention


def write_attention(
    classifier: ImageClassifier, image: Path, output: Path, *, picture: str
) -> str:
    """Writes a picture of `PICTURES`; returns a line about it."""
    (pixels,) = next(classifier.batches([image], 1))
    photo = pixels if pixels.shape[-1] == 3 else np.repeat(pixels[..., :1], 3, -1)
    inputs = classifier.inputs(pixels[None])
    figure = PICTURES[picture](classifier.model, photo, inputs)
    figure.suptitle(f"{classifier.model.name}, {image.name}")
    with replace_when_written(output) as temporary:
        figure.savefig(temporary, dpi=150)
    return f"{output}: attention to {image}"


def _heads(model: keras.Model, photo: np.ndarray, inputs: np.ndarray) -> Any:
    """Each head of the last blocks."""
    rows = {
        f"{token}, {name.removesuffix('_attention')}": scores[0]
        for token, blocks in token_attention(model, inputs).items()
        for name, scores in list(blocks.items())[-_BLOCKS:]
    }
    return draw_token_attention(photo, rows)


def _overlay(model: keras.Model, photo: np.ndarray, inputs: np.ndarray) -> Any:
    """The mean of the last block's heads over the image."""
    tokens = token_attention(model, inputs)
    last = {token: list(blocks.values())[-1] for token, blocks in tokens.items()}
    return draw_overlays(
        photo, {token: maps[0].mean(0) for token, maps in last.items()}
    )


def _rollout(model: keras.Model, photo: np.ndarray, inputs: np.ndarray) -> Any:
    """The attention through all blocks over the image."""
    maps = attention_rollout(model, inputs)
    return draw_overlays(photo, {token: scores[0] for token, scores in maps.items()})


PICTURES = {"heads": _heads, "overlay": _overlay, "rollout": _rollout}
"""Functions that draw a picture, by its name."""
