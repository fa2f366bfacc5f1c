"""Picture of a model's attention to an image."""

from pathlib import Path

import numpy as np

from keras_cait.cli.classifier import ImageClassifier
from keras_cait.files import replace_when_written
from keras_cait.visualization import (
    attention_rollout,
    draw_overlays,
    draw_token_attention,
    token_attention,
)

_BLOCKS = 2  # the last ones, which CaiT has of class attention


def draw_attention(
    classifier: ImageClassifier,
    image: Path,
    output: Path,
    *,
    picture: str = "heads",
) -> str:
    """Writes the picture; returns a line about it.

    `picture` is "heads", each head of the last blocks; "overlay", the mean of the last
    block's heads over the image; or "rollout".
    """
    pixels = classifier.read(image)
    inputs = classifier.inputs(pixels[None])
    photo = pixels if pixels.shape[-1] == 3 else np.repeat(pixels[..., :1], 3, -1)
    title = f"{classifier.model.name}, {image.name}"
    if picture == "rollout":
        maps = attention_rollout(classifier.model, inputs)
        overlays = {token: scores[0] for token, scores in maps.items()}
        figure = draw_overlays(photo, overlays, title=title)
    else:
        tokens = token_attention(classifier.model, inputs)
        if picture == "overlay":
            last = {
                token: list(blocks.values())[-1] for token, blocks in tokens.items()
            }
            overlays = {token: scores[0].mean(0) for token, scores in last.items()}
            figure = draw_overlays(photo, overlays, title=title)
        else:
            rows = {
                f"{token}, {name.removesuffix('_attention')}": scores[0]
                for token, blocks in tokens.items()
                for name, scores in list(blocks.items())[-_BLOCKS:]
            }
            figure = draw_token_attention(photo, rows, title=title)
    with replace_when_written(output) as temporary:
        figure.savefig(temporary, dpi=150)
    return f"{output}: attention of {' and '.join(_tokens(classifier))} to {image}"


def _tokens(classifier: ImageClassifier) -> list[str]:
    names = [layer.name for layer in classifier.model.layers]
    tokens = ("class_token", "distillation_token")
    return [name.replace("_", " ") for name in tokens if name in names]
