"""Description of a model for the page: `model.json`."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from keras_cait.export.pipeline.preparation import PreparedModel
from keras_cait.layers import ClassAttention
from keras_cait.models.classes.imagenet_classes import imagenet_names, is_imagenet
from keras_cait.models.published.model_source import RANDOM


def describe(
    prepared: PreparedModel, folder: Path, files: Mapping[str, str]
) -> dict[str, Any]:
    """What the page has to know of a model and its files.

    `files` are the paths of what it downloads, relative to `folder`, by name.
    """
    preprocessing = prepared.preprocessing
    channels = prepared.model.input_shape[-1]
    scale, offset = preprocessing.scale, preprocessing.offset
    if prepared.takes_pixels:
        scale, offset = (1.0,) * channels, (0.0,) * channels
    return {
        "name": prepared.model.name,
        "weights": prepared.published_source,
        "isRandom": prepared.weights == RANDOM,
        "labels": _labels(prepared),
        "imageSize": preprocessing.size,
        "cropPct": preprocessing.crop_pct,
        "interpolation": preprocessing.interpolation,
        "channels": channels,
        "scale": scale,
        "offset": offset,
        "attention": _attention(prepared),
        "files": [_file(folder, name, path) for name, path in files.items()],
    }


def _attention(prepared: PreparedModel) -> dict[str, Any]:
    """Titles of the blocks, and the number of heads of each."""
    maps = prepared.class_attention
    if maps is None:
        raise ValueError(
            "Expected a model prepared with class attention as an output. Received: "
            f"outputs={prepared.outputs}"
        )
    layers = prepared.reference.layers
    is_cait = any(isinstance(layer, ClassAttention) for layer in layers)
    kind = "Class-attention block" if is_cait else "Block"
    blocks = [f"{kind} {index}" for index in range(1, maps.blocks + 1)]
    return {"blocks": blocks, "heads": maps.heads}


def _file(folder: Path, name: str, path: str) -> dict[str, Any]:
    """Path and size; a browser that has an old file loads it anew by its checksum."""
    content = (folder / path).read_bytes()
    checksum = hashlib.sha256(content).hexdigest()[:16]
    return {"name": name, "path": f"{path}?{checksum}", "size": len(content)}


def _labels(prepared: PreparedModel) -> Sequence[str]:
    """A name for each class: the model's, ImageNet's, or a number."""
    labels = prepared.labels
    if labels is None and prepared.classes == len(imagenet_names()):
        labels = imagenet_names()
    if labels is None:
        return [f"class {index}" for index in range(prepared.classes)]
    if is_imagenet(labels):
        return [name.replace("_", " ") for name in labels]
    return labels
