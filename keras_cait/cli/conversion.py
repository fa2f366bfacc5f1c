"""Conversion of checkpoints between timm's, the official and Keras's formats."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras

from keras_cait.files import replace_when_written
from keras_cait.models.published.detection import detect_model
from keras_cait.models.published.model_source import ModelSource, load_source
from keras_cait.models.published.registry import model_with_weights
from keras_cait.weights.timm.checkpoints import (
    save_official_weights,
    save_timm_weights,
)

_WRITERS: Mapping[str, Callable[[keras.Model, Path], Any]] = {
    ".safetensors": save_timm_weights,
    ".pth": save_official_weights,
    ".weights.h5": keras.Model.save_weights,
    ".keras": keras.Model.save,
}


def model_of(source: str, *, name: str | None) -> keras.Model:
    """The model of a checkpoint, in its image size, for images in [0, 255].

    `name` is that of the model of a `.weights.h5` file, which does not tell it.
    """
    needs_name = source.endswith(".weights.h5")
    if needs_name != (name is not None):
        raise ValueError(
            "--model names the model of a .weights.h5 file, and of no other. "
            f"Received: {source} and --model {name or 'not given'}"
        )
    if name is not None:
        return load_source(ModelSource(name=name, weights=source)).model
    if source.endswith(".keras"):
        return load_source(ModelSource(name=source)).model
    found = detect_model(source)
    return model_with_weights(
        found.name,
        source,
        preprocessing_overrides={},
        input_shape=found.input_shape,
        classes=found.classes,
        include_preprocessing=True,
    )


def write(model: keras.Model, target: Path) -> None:
    """Writes a model in the format of the target's name."""
    (suffix,) = (suffix for suffix in _WRITERS if target.name.endswith(suffix))
    with replace_when_written(target) as temporary:
        _WRITERS[suffix](model, temporary)
