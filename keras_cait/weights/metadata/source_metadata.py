"""What a source of weights says of them: how images are prepared, and the classes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
from safetensors import SafetensorError, safe_open

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
from keras_cait.weights.readers.hub import FILE, download, download_configuration
from keras_cait.weights.readers.keras_archives import saved_layer_configs

_FIELDS = ("mean", "std", "crop_pct", "interpolation")
_KEYS = ("preprocessing", "class_names")  # in the metadata of our safetensors files
# What the hub calls files of weights, beside which their config.json lies.
_HUB_FILES = (FILE, "pytorch_model.bin")


@dataclass(frozen=True, kw_only=True)
class SourceMetadata:
    """What is said of weights beside them.

    Attributes:
        preprocessing: How images are prepared for them, without their size; None if
            nothing says so.
        class_names: Of their head; None likewise.
        imagenet: Whether their classes are those of ImageNet, in order.
    """

    preprocessing: Preprocessing | None = None
    class_names: tuple[str, ...] | None = None
    imagenet: bool = False


def read_source_metadata(source: str | Path) -> SourceMetadata:
    """What a source of weights says of them.

    Of a published repository the package's own table says it; of another one on the
    hub its `config.json`, as timm writes it, or `preprocessor_config.json`; of a
    `.safetensors` file the metadata that `save_timm_weights` writes, or a `config.json`
    beside a file that is called as on the hub; of a `.keras` file its model.

    Args:
        source: As `load_weights` takes it.

    Raises:
        ValueError: If what it says is out of range.
        OSError: If the hub does not give the weights.

    Example:
        >>> read_source_metadata("hf://timm/deit_tiny_patch16_224.fb_in1k").imagenet
        True

    """
    text = str(source)
    for variant in VARIANTS.values():
        for row in variant.checkpoints:
            if text == f"hf://{row.hub_id}":
                return SourceMetadata(preprocessing=row.preprocessing, imagenet=True)
    on_the_hub = text.startswith("hf://")
    path = download(text) if on_the_hub else Path(source)
    try:
        said = _of_file(path)
        if said == SourceMetadata() and on_the_hub:
            return _in_configurations(download_configuration(text), text)
        return said
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise ValueError(
            f"What {source} says of its preprocessing cannot be used: {error} Say it "
            "yourself, with `preprocessing=keras_cait.Preprocessing(...)`."
        ) from error


def _of_file(path: Path) -> SourceMetadata:
    if not path.is_file():
        return SourceMetadata()  # loading it says so
    if path.suffix == ".keras":
        return _in_model(path)
    said = _in_metadata(path) if path.suffix == ".safetensors" else None
    beside = path.with_name("config.json")
    if said is None and path.name in _HUB_FILES and beside.is_file():
        return _in_configurations([_read_json(beside.read_bytes())], str(path))
    return said or SourceMetadata()


def safetensors_metadata(model: keras.Model) -> dict[str, str]:
    """What `save_timm_weights` writes beside the weights of a model."""
    found: dict[str, Any] = {}
    preprocessing = stored_preprocessing(model)
    if preprocessing is not None:
        found[_KEYS[0]] = {name: getattr(preprocessing, name) for name in _FIELDS}
    class_names = stored_class_names(model)
    if class_names is not None:
        found[_KEYS[1]] = class_names
    return {name: json.dumps(value) for name, value in found.items()}


def _in_metadata(path: Path) -> SourceMetadata | None:
    """What `safetensors_metadata` has written; None where it has not."""
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
    except (SafetensorError, OSError, TypeError, ValueError, MemoryError):
        return None  # loading it says so
    preprocessing, class_names = (_read_json(metadata.get(key)) for key in _KEYS)
    if preprocessing is None:
        return None
    return SourceMetadata(
        preprocessing=Preprocessing(**preprocessing),
        class_names=tuple(class_names) if class_names else None,
    )


def _in_model(path: Path) -> SourceMetadata:
    """What the layers of a saved model keep, of which none is built."""
    said: dict[str, Any] = {}
    for name, kept in saved_layer_configs(path, "ImagePreprocessing", "Predictions"):
        if name == "Predictions":
            names = _plain(kept.get("class_names"))
            said["class_names"] = None if names is None else tuple(names)
        elif kept.get("normalize") or "preprocessing" not in said:
            fields = {name: _plain(kept[name]) for name in _FIELDS}
            said["preprocessing"] = Preprocessing(**fields)
    return SourceMetadata(**said)


def _plain(value: Any) -> Any:
    """A list, or what Keras makes of a tuple."""
    return value["config"] if isinstance(value, Mapping) else value


def _in_configurations(found: list[Any], source: str) -> SourceMetadata:
    """What timm's config.json says, or what the others of the hub do."""
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
