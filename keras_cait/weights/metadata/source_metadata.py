"""Preprocessing and class names that a source of weights states."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from keras_cait.preprocessing import Preprocessing
from keras_cait.variants import VARIANTS
from keras_cait.weights.metadata.hub_configurations import (
    class_names_from_config,
    preprocessing_from_config,
)
from keras_cait.weights.metadata.model_metadata import (
    stored_class_names,
    stored_preprocessing,
)
from keras_cait.weights.readers.hub_names import FILE
from keras_cait.weights.readers.keras_archives import saved_layer_configs
from keras_cait.weights.readers.safetensors_files import open_safetensors
from keras_cait.weights.readers.source_paths import local_path

_FIELDS = ("mean", "std", "crop_pct", "interpolation")
_KEYS = ("preprocessing", "class_names")  # in the metadata of our safetensors files
# File names of weights on the hub, whose config.json lies beside them.
_HUB_FILES = (FILE, "pytorch_model.bin")


@dataclass(frozen=True, kw_only=True)
class SourceMetadata:
    """Facts about weights that are stated beside their tensors."""

    preprocessing: Preprocessing | None = None  # without the size of the images
    class_names: tuple[str, ...] | None = None
    imagenet: bool = False  # whether the classes are those of ImageNet, in order


def read_source_metadata(source: str | Path) -> SourceMetadata:
    """Reads the metadata of a source of weights.

    For a published repository they are in the package's own table; for another one on
    the hub in its `config.json`, as timm writes it, or `preprocessor_config.json`; for
    a `.safetensors` file in the metadata that `save_timm_weights` writes, or in a
    `config.json` beside a file that is named as on the hub; for a `.keras` file in its
    model. Raises `ValueError` if a stated value is out of range.

    Example:
        >>> read_source_metadata("hf://timm/deit_tiny_patch16_224.fb_in1k").imagenet
        True

    """
    text = str(source)
    for variant in VARIANTS.values():
        for row in variant.checkpoints:
            if text == f"hf://{row.hub_id}":
                return SourceMetadata(preprocessing=row.preprocessing, imagenet=True)
    path = local_path(source)
    try:
        metadata = _of_file(path)
        if metadata == SourceMetadata() and text.startswith("hf://"):
            from keras_cait.weights.readers.hub import download_configuration

            return _from_configurations(download_configuration(text), text)
        return metadata
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise ValueError(
            f"The preprocessing that {source} states cannot be used: {error} State it "
            "yourself, with `preprocessing=keras_cait.Preprocessing(...)`."
        ) from error


def _of_file(path: Path) -> SourceMetadata:
    if not path.is_file():
        return SourceMetadata()  # loading it raises an error
    if path.suffix == ".keras":
        return _from_saved_layers(path)
    metadata = _from_safetensors(path) if path.suffix == ".safetensors" else None
    beside = path.with_name("config.json")
    if metadata is None and path.name in _HUB_FILES and beside.is_file():
        return _from_configurations([_read_json(beside.read_bytes())], str(path))
    return metadata or SourceMetadata()


def safetensors_metadata(model: keras.Model) -> dict[str, str]:
    """The preprocessing and class names of a model as metadata of safetensors."""
    found: dict[str, Any] = {}
    preprocessing = stored_preprocessing(model)
    if preprocessing is not None:
        found[_KEYS[0]] = {name: getattr(preprocessing, name) for name in _FIELDS}
    class_names = stored_class_names(model)
    if class_names is not None:
        found[_KEYS[1]] = class_names
    return {name: json.dumps(value) for name, value in found.items()}


def _from_safetensors(path: Path) -> SourceMetadata | None:
    """The metadata that `safetensors_metadata` wrote; None if there are none."""
    try:
        with open_safetensors(path) as (_, metadata):
            texts = [metadata.get(key) for key in _KEYS]
    except ValueError:
        return None  # loading it raises an error
    preprocessing, class_names = map(_read_json, texts)
    if preprocessing is None:
        return None
    return SourceMetadata(
        preprocessing=Preprocessing(**preprocessing),
        class_names=tuple(class_names) if class_names else None,
    )


def _from_saved_layers(path: Path) -> SourceMetadata:
    """The metadata in the configurations of a saved model's layers."""
    found: dict[str, Any] = {}
    for name, config in saved_layer_configs(path, "ImagePreprocessing", "Predictions"):
        if name == "Predictions":
            names = _as_list(config.get("class_names"))
            found["class_names"] = None if names is None else tuple(names)
        elif config.get("normalize") or "preprocessing" not in found:
            fields = {field: _as_list(config[field]) for field in _FIELDS}
            found["preprocessing"] = Preprocessing(**fields)
    return SourceMetadata(**found)


def _as_list(value: Any) -> Any:
    """A list, from a list or from Keras's configuration of a tuple."""
    return value["config"] if isinstance(value, Mapping) else value


def _from_configurations(found: list[Any], source: str) -> SourceMetadata:
    names, imagenet = None, False
    for config in found:
        if names is None:
            names, imagenet = class_names_from_config(config)
        preprocessing = preprocessing_from_config(config, source)
        if preprocessing is not None:
            return SourceMetadata(
                preprocessing=preprocessing, class_names=names, imagenet=imagenet
            )
    return SourceMetadata(class_names=names, imagenet=imagenet)


def _read_json(text: str | bytes | None) -> Any:
    try:
        return None if text is None else json.loads(text)
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"{error}.") from error
